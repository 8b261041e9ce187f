/** Gradients from several threads: those of one thread, whoever computes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LlmLearner,
  type TitleRows,
  type TrainingPosition,
} from '../../../src/recommenders/index.js';
import { affordableWorkers } from '../../../src/recommenders/llm/threads/answers.js';
import { engineThreads, foreach, Generator, noGrad, normal_ } from '../../../src/tensor/index.js';
import { OwnGradients } from '../../../src/training/gradients/source.js';
import { GradientWorkers, gradientSource } from '../../../src/training/gradients/workers.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyConfig, tinyDataset, tinyIlora } from '../../support/models.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const batch = [0, 1, 2, 3, 4, 5, 6];
const at = (step: number): TrainingPosition => ({ seed: 3, step, totalSteps: 10, batch });

type TinyOptions = NonNullable<Parameters<typeof tinyIlora>[0]>;

function learner(options: TinyOptions = {}): LlmLearner {
  const recommender = tinyIlora({
    ...options,
    adapter: { dropout: 0.3, ...options.adapter },
  });
  const random = new Generator(5);
  noGrad(() => {
    for (const [, parameter] of recommender.parts.adapter?.namedParameters() ?? [])
      normal_(parameter, 0, 0.3, random);
  });
  const rates = { lora: 1e-2, gate: 1e-2, projector: 1e-2, weightDecay: 0 };
  return new LlmLearner(recommender, tinyDataset, { rates, curriculum: 'hybrid' });
}

type Gradients = Map<string, number[] | undefined>;

/** The collected gradients, which are forgotten. */
function take(from: LlmLearner): Gradients {
  const found: Gradients = new Map();
  for (const [key, parameter] of from.state()) {
    found.set(key, parameter.grad?.toNumbers());
    parameter.setGrad();
  }
  return found;
}

const sum = (all: Gradients): number =>
  [...all.values()].reduce((total, values) => total + (values?.length ?? 0), 0);

test('two workers and one thread give the same loss and gradients, step after step', async () => {
  const all = learner({ batchTokens: 100 });
  const own = new OwnGradients(all);
  const workers = await GradientWorkers.start(all, { workers: 2, threads: 1 });
  try {
    for (const step of [0, 1]) {
      const expectedLoss = await own.accumulate(at(step));
      const expected = take(all);
      const loss = await workers.accumulate(at(step));
      const got = take(all);
      close([loss], [expectedLoss], 1e-5);
      assert.ok(sum(got) > 1000);
      for (const [key, values] of expected) close(got.get(key) ?? [], values ?? [], 1e-5, key);
      // What the workers know of the adapter is what it is now.
      noGrad(() => foreach.mulNumber_([...all.state().values()], 0.5));
    }
  } finally {
    await workers.close();
  }
});

test('the order in which workers finish does not change a bit', async () => {
  const all = learner({ batchTokens: 60 });
  const found: { loss: number; gradients: Gradients }[] = [];
  for (let repeat = 0; repeat < 3; repeat++) {
    const workers = await GradientWorkers.start(all, { workers: 3, threads: 1 });
    const loss = await workers.accumulate(at(4));
    found.push({ loss, gradients: take(all) });
    await workers.close();
  }
  assert.deepEqual(found[1], found[0]);
  assert.deepEqual(found[2], found[0]);
});

test('a parameter that no part reaches has no gradient', async () => {
  const text = learner({ adapter: { hasSlots: true } });
  const ramp = new LlmLearner(text.recommender, tinyDataset, {
    ...text.options,
    curriculum: 'ramp',
  });
  const workers = await GradientWorkers.start(ramp, { workers: 2, threads: 1 });
  try {
    await workers.accumulate(at(0)); // text only: nothing goes through the projector
    const got = take(ramp);
    assert.equal(got.get('projector.input.weight'), undefined);
    assert.ok(got.get('gate.weight') !== undefined, [...got.keys()].join());
  } finally {
    await workers.close();
  }
});

test('a stop ends the wait at once and leaves nothing behind', async () => {
  const all = learner();
  await leaksNothing(async () => {
    const workers = await GradientWorkers.start(all, { workers: 2, threads: 1 });
    const controller = new AbortController();
    const pending = workers.accumulate(at(0), controller.signal);
    controller.abort(new Error('stop'));
    await assert.rejects(pending, /^Error: stop$/);
    await workers.close();
    take(all);
  });
});

test('a stop while workers start ends that wait too', async () => {
  const all = learner();
  const start = performance.now();
  await (await GradientWorkers.start(all, { workers: 2, threads: 1 })).close();
  const whole = performance.now() - start;
  const controller = new AbortController();
  const began = performance.now();
  const pending = gradientSource(all, { batchSize: 7, workers: 2 }, controller.signal);
  controller.abort(new Error('stop'));
  await assert.rejects(pending, /^Error: stop$/);
  const waited = performance.now() - began;
  await assert.rejects(
    gradientSource(all, { batchSize: 7, workers: 2 }, controller.signal),
    /^Error: stop$/,
  );
  assert.ok(waited < whole / 2, `${waited} of ${whole} ms`);
});

test('a loss that is not finite names its rows, as in one thread', async () => {
  const all = learner();
  noGrad(() => foreach.mulNumber_([...all.state().values()], Number.NaN));
  const workers = await GradientWorkers.start(all, { workers: 2, threads: 1 });
  try {
    await assert.rejects(workers.accumulate(at(0)), {
      code: 'training',
      message: /finite loss, got NaN at step 1 \(examples \d/,
    });
  } finally {
    await workers.close();
  }
});

test('a worker that cannot go on says why, and the others end', async () => {
  const all = learner();
  const sharing = all.sharing!;
  const batch: typeof sharing.batch = (...given) => {
    const made = sharing.batch(...given) as TitleRows;
    for (const row of made.rows) row.prompt.ids[0] = 1_000_000;
    return made;
  };
  Object.defineProperty(all, 'sharing', { value: { ...sharing, batch } });
  const workers = await GradientWorkers.start(all, { workers: 2, threads: 1 });
  await assert.rejects(workers.accumulate(at(0)), { code: 'engine', message: /index/ });
  await workers.close();
  await assert.rejects(workers.accumulate(at(0)), { code: 'internal' });
});

test('workers are taken where they pay: not for one window, a small base or a gate with batch norm', async () => {
  const own = async (options: TinyOptions, how: { batchSize: number; workers?: number }) => {
    const source = await gradientSource(learner(options), how);
    await source.close();
    return source instanceof OwnGradients;
  };
  assert.equal(await own({}, { batchSize: 8 }), true);
  assert.equal(await own({}, { batchSize: 8, workers: 2 }), false);
  assert.equal(await own({}, { batchSize: 1, workers: 2 }), true);
  assert.equal(
    await own({ adapter: { gate: 'conv-batch-norm' } }, { batchSize: 8, workers: 2 }),
    true,
  );
});

test('no more workers than memory has room for their activations', () => {
  const shape = (numLayers: number, hiddenSize: number, intermediateSize: number) =>
    ({
      config: { ...tinyConfig, numLayers, hiddenSize, intermediateSize },
      dtype: 'bfloat16',
    }) as const;
  const smollm2 = shape(30, 576, 1536);
  const llama7b = shape(32, 4096, 11_008);
  // 1.14 MB per token: 9,645 tokens in half of 22 GB, of which each of many workers has 512.
  assert.equal(affordableWorkers(smollm2, 1024, 22e9), 18);
  // Two share 1,536 tokens, and so do three; one alone would have had 1,024.
  assert.equal(affordableWorkers(smollm2, 1024, 3.5e9), 1);
  assert.equal(affordableWorkers(smollm2, 1024, 3.6e9), 3);
  assert.equal(affordableWorkers(smollm2, 1024, 1e15), 256);
  assert.equal(affordableWorkers(llama7b, 1024, 64e9), 7);
  assert.equal(affordableWorkers(llama7b, 1024, 1e9), 1);
});
