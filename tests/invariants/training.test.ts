/** Invariants of training: what an example adds depends on itself, not on its batch or on how a step is cut. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AdapterOptions,
  type Learner,
  LlmLearner,
  SequenceLearner,
  type TrainingPosition,
} from '../../src/recommenders/index.js';
import { engineThreads, noGrad, scope } from '../../src/tensor/index.js';
import { RunFolder, type TrainerOptions, train } from '../../src/training/index.js';
import { temporaryFolder } from '../support/folder.js';
import { tinyIlora, tinySasrec } from '../support/models.js';
import { close } from '../support/numeric.js';
import { cutOf, datasetOf, permutationOf, runs, seeds } from './cases.js';

engineThreads(1);

/** Float64; losses of some tens, gradients of some units. */
const EXACT = 1e-9;
const ROWS = 6;

type Gate = AdapterOptions['gate'];
const GATES: readonly Gate[] = ['linear', 'conv', 'conv-batch-norm'];

function ilora(
  adapter: Partial<AdapterOptions>,
  { rows = ROWS, batchTokens = 1 << 20, seed = 1, onInstance = (_: number, __: number) => {} } = {},
): LlmLearner {
  const recommender = tinyIlora({ dtype: 'float64', adapter, batchTokens });
  return new LlmLearner(recommender, datasetOf(rows, seed, onInstance), {
    rates: { lora: 0.01, gate: 0.01, projector: 0.01, weightDecay: 1e-3 },
    curriculum: 'ramp',
  });
}

function sasrec(): SequenceLearner {
  const sequences = Array.from({ length: ROWS }, (_, user) => ({
    user: `u${user}`,
    items: Int32Array.from({ length: 4 + user }, (_, i) => (i * (user + 2) + user) % 12),
  }));
  const model = tinySasrec({ blocks: 1, dropout: 0.3 }).to('cpu', 'float64');
  return new SequenceLearner(model, sequences, { learningRate: 0.01, weightDecay: 0, loss: 'bce' });
}

/** Learners with dropout, made once. */
const learners = {
  lora: ilora({ kind: 'lora', dropout: 0.3 }),
  linear: ilora({ gate: 'linear', dropout: 0.3 }),
  conv: ilora({ gate: 'conv', dropout: 0.3 }),
  'conv-batch-norm': ilora({ gate: 'conv-batch-norm', dropout: 0.3 }),
  sasrec: sasrec(),
} satisfies Record<string, Learner>;
type Name = keyof typeof learners;

const trained = (learner: Learner): [string, number[]][] =>
  learner
    .parameterGroups()
    .flatMap(({ parameters }) => [...parameters])
    .map(([key, tensor]) => [key, tensor.grad?.toNumbers() ?? new Array(tensor.size).fill(0)]);

/** Gradients of a step that is done part by part. */
function gradients(
  learner: Learner,
  parts: number[][],
  at: TrainingPosition,
): Map<string, number[]> {
  for (const { parameters } of learner.parameterGroups())
    for (const tensor of parameters.values()) tensor.setGrad();
  for (const part of parts) scope(() => learner.loss(part, at).backward());
  return new Map(trained(learner));
}

const lossOf = (learner: Learner, part: number[], at: TrainingPosition): number =>
  noGrad(() => scope(() => learner.loss(part, at).item()));

/** Some examples of the first passes, without repeats, and where training stands. */
const steps = fc
  .record({
    count: fc.integer({ min: 1, max: 5 }),
    step: fc.integer({ min: 0, max: 9 }),
    seed: seeds,
  })
  .map(({ count, step, seed }) => {
    const batch = permutationOf(3 * ROWS, seed).slice(0, count);
    const position: TrainingPosition = { seed, step, totalSteps: 10, batch };
    return { batch, position, seed };
  });

for (const name of Object.keys(learners) as Name[]) {
  const learner = learners[name];
  const dependsOnBatch = name === 'conv-batch-norm';
  const fewer = name.startsWith('conv') ? 2 : 0; // they take a few times as long

  test(`${name}: gradients and losses do not depend on how a step is cut, dropout included`, () => {
    fc.assert(
      fc.property(steps, ({ batch, position, seed }) => {
        const whole = gradients(learner, [batch], position);
        const parts = cutOf(batch, seed);
        for (const cut of [parts, batch.map((example) => [example])])
          for (const [key, values] of gradients(learner, cut, position))
            close(values, whole.get(key)!, EXACT, key);
        const losses = parts.map((part) => lossOf(learner, part, position));
        close([losses.reduce((a, b) => a + b)], [lossOf(learner, batch, position)], EXACT);
      }),
      runs(5 - 2 * fewer),
    );
  });

  test(`${name}: permuting a part changes neither its loss nor its gradients`, () => {
    fc.assert(
      fc.property(steps, ({ batch, position, seed }) => {
        const permuted = permutationOf(batch.length, seed + 1).map((i) => batch[i] as number);
        const wanted = gradients(learner, [batch], position);
        for (const [key, values] of gradients(learner, [permuted], position))
          close(values, wanted.get(key)!, EXACT, key);
      }),
      runs(3 - fewer / 2),
    );
  });

  test(`${name}: an example's loss ${dependsOnBatch ? 'depends on its step: a batch norm is in its gate' : 'is the same in any step of the same number'}`, () => {
    let differing = 0;
    fc.assert(
      fc.property(steps, ({ batch, position, seed }) => {
        const [first] = batch as [number];
        const others = permutationOf(3 * ROWS, seed + 7).filter((example) => example !== first);
        const other = { ...position, batch: [first, ...others.slice(0, 3)] };
        const [a, b] = [lossOf(learner, [first], position), lossOf(learner, [first], other)];
        if (dependsOnBatch) differing += Math.abs(a - b) > 1e-6 ? 1 : 0;
        else close([a], [b], 0);
      }),
      runs(6),
    );
    if (dependsOnBatch) assert.ok(differing > 3, `${differing} of 6 differ`);
  });
}

test('dropout is another one in another step, for another example and under another seed', () => {
  const learner = learners.linear;
  const at: TrainingPosition = { seed: 1, step: 0, totalSteps: 10 ** 9, batch: [0] };
  const base = lossOf(learner, [0], at);
  assert.equal(lossOf(learner, [0], at), base);
  assert.notEqual(lossOf(learner, [0], { ...at, step: 1 }), base);
  assert.notEqual(lossOf(learner, [0], { ...at, seed: 2 }), base);
  // The same row in the next pass, of a dataset that draws the same candidates in both.
  const fixed = ilora({ dropout: 0.3 });
  const instance = fixed.dataset.instance.bind(fixed.dataset);
  fixed.dataset.instance = (split, row) => instance(split, row, { draw: { seed: 1, epoch: 0 } });
  assert.notEqual(lossOf(fixed, [0], at), lossOf(fixed, [ROWS], at));
});

const STATISTIC = 'gate.norm.running_mean';

test('batch norm: the statistics move once per step, alike however it is cut', () => {
  const batch = [0, 3, 1, 5];
  const position: TrainingPosition = { seed: 3, step: 2, totalSteps: 10, batch };
  const moved = [
    [batch],
    batch.map((example) => [example]),
    [
      [5, 1],
      [0, 3],
    ],
  ].map((parts) => {
    const learner = ilora({ gate: 'conv-batch-norm', dropout: 0.3 });
    const before = learner.state().get(STATISTIC)!.toNumbers();
    gradients(learner, parts, position);
    const after = [...learner.state()].filter(([key]) => key.includes('running'));
    assert.notDeepEqual(learner.state().get(STATISTIC)!.toNumbers(), before);
    return after.flatMap(([, tensor]) => tensor.toNumbers());
  });
  close(moved[1]!, moved[0]!, EXACT);
  close(moved[2]!, moved[0]!, EXACT);
});

const options: TrainerOptions = {
  seed: 3,
  batchSize: 32,
  totalExamples: 64,
  warmupShare: 0,
  schedule: 'cosine',
  optimizer: 'adam',
  clipNorm: 1,
  validateEvery: 1000,
  patience: 0,
  checkpointSeconds: 3600,
};

function newFolder(): RunFolder {
  const folder = new RunFolder(join(temporaryFolder(), 'run'));
  folder.prepare(false);
  return folder;
}

for (const gate of GATES) {
  const stepCount = 2; // in the first one no prompt has slots, so the projector would not move

  test(`${gate}: steps of the trainer with 32 windows at once and 32 times one are the same`, async () => {
    const results: { parts: number; values: [string, number[]][] }[] = [];
    for (const batchTokens of gate === 'linear' ? [1 << 20, 1, 900] : [1 << 20, 1]) {
      // Forty rows: the second step ends in the second pass.
      const learner = ilora({ gate, dropout: 0.1 }, { rows: 40, batchTokens });
      const loss = learner.loss.bind(learner);
      let parts = 0;
      learner.loss = (examples, position) => {
        parts++;
        return loss(examples, position);
      };
      const before = new Map([...learner.state()].map(([key, x]) => [key, x.toNumbers()]));
      await train(learner, newFolder(), { ...options, totalExamples: 32 * stepCount });
      const values = [...learner.state()].map(([key, x]): [string, number[]] => [
        key,
        x.toNumbers(),
      ]);
      for (const [key, after] of values) assert.notDeepEqual(after, before.get(key), key);
      results.push({ parts, values });
    }
    assert.deepEqual(
      results.slice(0, 2).map(({ parts }) => parts),
      [stepCount, 32 * stepCount],
    );
    const between = results[2]?.parts ?? 32;
    assert.ok(between > stepCount && between < 64, `${between} parts`);
    // Adam divides by the size of a gradient: where that is next to nothing, rounding grows in the step.
    for (const { values } of results.slice(1))
      for (const [i, [key, numbers]] of values.entries())
        close(numbers, results[0]!.values[i]![1], 1e-7, key);
  });
}

test('one expert trains as plain LoRA does: the same gradients and the same weights after steps of Adam', async () => {
  const shape = { hasSlots: false, dropout: 0.2 };
  const mixed = ilora({ ...shape, experts: 1 });
  const plain = ilora({ ...shape, kind: 'lora' });
  const position: TrainingPosition = { seed: 5, step: 1, totalSteps: 10, batch: [0, 2, 9] };
  const wanted = gradients(plain, [position.batch as number[]], position);
  const got = gradients(mixed, [position.batch as number[]], position);
  for (const [key, values] of wanted) close(got.get(key)!, values, EXACT, key);
  assert.deepEqual(
    [...got.keys()].filter((key) => !wanted.has(key)),
    ['gate.weight'],
  );
  assert.ok(got.get('gate.weight')!.every((value) => Math.abs(value) < 1e-12));
  // Not clipped: the gate's gradient is rounding, but it would count into the norm.
  const short = { ...options, batchSize: 4, totalExamples: 12, clipNorm: 0 };
  await train(mixed, newFolder(), short);
  await train(plain, newFolder(), short);
  for (const [key, tensor] of plain.state())
    close(mixed.state().get(key)!.toNumbers(), tensor.toNumbers(), 1e-7, key);
});

test('a step over two passes draws every example in its own pass, and each row comes once per pass', async () => {
  const seen = new Map<string, number>();
  const learner = ilora(
    {},
    {
      rows: 5,
      onInstance: (row, epoch) => {
        seen.set(`${epoch}:${row}`, (seen.get(`${epoch}:${row}`) ?? 0) + 1);
      },
    },
  );
  const batches: (readonly number[])[] = [];
  const cut = learner.cut.bind(learner);
  learner.cut = (examples, position) => {
    batches.push(position.batch);
    return cut(examples, position);
  };
  await train(learner, newFolder(), { ...options, batchSize: 3, totalExamples: 15 });
  const visits = [0, 1, 2].flatMap((epoch) => [0, 1, 2, 3, 4].map((row) => `${epoch}:${row}`));
  assert.deepEqual([...seen.keys()].sort(), visits);
  assert.equal(new Set(seen.values()).size, 1, 'no row is asked for more often than another');
  assert.deepEqual(
    batches.flat().sort((a, b) => a - b),
    Array.from({ length: 15 }, (_, i) => i),
  );
  const epochs = (batches[1] as number[]).map((example) => Math.floor(example / 5));
  assert.deepEqual(epochs, [0, 0, 1], 'the second step ends in the second pass');
});
