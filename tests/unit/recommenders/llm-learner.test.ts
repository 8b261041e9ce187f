/** Training of adapters: the curriculum and the freedom to cut a step into parts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LLAMA_PROJECTIONS } from '../../../src/lora/index.js';
import { Adam } from '../../../src/optim/index.js';
import { LlmLearner, type TrainingPosition } from '../../../src/recommenders/index.js';
import {
  engineThreads,
  Generator,
  mul,
  noGrad,
  normal_,
  scope,
} from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyDataset, tinyIlora } from '../../support/models.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const rates = { lora: 1e-2, gate: 1e-2, projector: 1e-2, weightDecay: 0 };
const examples = [0, 1, 2, 3];
const at = (step: number, totalSteps = 10): TrainingPosition => ({
  seed: 3,
  step,
  totalSteps,
  batch: examples,
});

function learner(
  curriculum: 'ramp' | 'hybrid' = 'hybrid',
  options: Parameters<typeof tinyIlora>[0] = {},
): LlmLearner {
  return new LlmLearner(tinyIlora(options), tinyDataset, { rates, curriculum });
}

test('targets are the title and its end, counted alike however they are cut', () => {
  const all = learner();
  // Items 3, 7, 2 and 9 have 4, 4, 3 and 2 words, a number, and a newline at the end.
  assert.equal(all.countTargets(examples, at(0)), 6 + 6 + 5 + 4);
  assert.equal(
    examples.reduce((total, example) => total + all.countTargets([example], at(0)), 0),
    21,
  );
});

test('cutting by tokens keeps every example once', () => {
  for (const batchTokens of [1, 200, 1 << 20]) {
    const parts = learner('hybrid', { batchTokens }).cut(examples, at(0));
    assert.deepEqual(parts.flat().sort(), examples);
    if (batchTokens === 1) assert.equal(parts.length, 4);
    if (batchTokens === 1 << 20) assert.equal(parts.length, 1);
  }
});

/** Whether each row's prompt has slots at a step. */
function slots(all: LlmLearner, step: number, seed: number): boolean[] {
  const seen: boolean[] = [];
  const { prompts } = all.recommender.parts;
  const build = prompts.build.bind(prompts);
  prompts.build = (request) => {
    seen.push(request.hasSlots);
    return build(request);
  };
  all.countTargets(examples, { ...at(step), seed });
  prompts.build = build;
  return seen;
}

/** Share of prompts with slots at a step, over the four rows and 50 seeds. */
function slotShare(all: LlmLearner, step: number): number {
  const seen = Array.from({ length: 50 }, (_, seed) => slots(all, step, seed)).flat();
  return seen.filter((hasSlots) => hasSlots).length / seen.length;
}

test('the ramp starts with text, ends with slots, and rises with the share of training done', () => {
  const ramp = learner('ramp');
  assert.equal(slotShare(ramp, 0), 0);
  const [quarter, half, most] = [2, 5, 9].map((step) => slotShare(ramp, step)) as [
    number,
    number,
    number,
  ];
  close([quarter, half, most], [0.2, 0.5, 0.9], 0.12); // 200 draws: 3.4 deviations at most
  assert.ok(quarter < half && half < most);
  assert.equal(slotShare(ramp, 10), 1);
  const rows = Array.from({ length: 10 }, (_, seed) => new Set(slots(ramp, 5, seed)).size);
  assert.ok(rows.filter((kinds) => kinds === 2).length > 5, 'rows of one step are drawn apart');
  assert.equal(slotShare(learner('hybrid'), 0), 1);
});

test('the same position gives the same loss, and dropout another one at another step', () => {
  const all = learner('hybrid', { adapter: { dropout: 0.3 } });
  const loss = (step: number): number =>
    noGrad(() => scope(() => all.loss(examples, at(step, 1000)).item()));
  assert.equal(loss(4), loss(4));
  assert.notEqual(loss(4), loss(5));
});

test('groups hold every trained parameter once, at the rate of its part', () => {
  const all = learner();
  const groups = all.parameterGroups();
  assert.deepEqual(
    groups.map(({ name }) => name),
    ['lora', 'gate', 'projector'],
  );
  const keys = groups.flatMap(({ parameters }) => [...parameters.keys()]);
  assert.deepEqual(keys.sort(), [...all.state().keys()].sort());
  assert.equal(new Set(keys).size, keys.length);
});

test('one batch overfits: 25 steps of Adam take 60 % off the loss (the frozen base is too small for more)', async () => {
  const rate = 0.05;
  const all = new LlmLearner(
    tinyIlora({ adapter: { rank: 16, targets: LLAMA_PROJECTIONS } }),
    tinyDataset,
    { rates: { lora: rate, gate: rate, projector: rate, weightDecay: 0 }, curriculum: 'hybrid' },
  );
  const adam = new Adam(all.parameterGroups());
  const losses: number[] = [];
  const step = (): void => {
    losses.push(
      scope(() => {
        const loss = all.loss([0, 2], at(0));
        loss.backward();
        return loss.item();
      }),
    );
    adam.step();
    adam.zeroGrad();
  };
  step(); // builds the rotation's tables
  await leaksNothing(() => {
    for (let i = 0; i < 24; i++) step();
  });
  assert.ok(losses.at(-1)! < 0.4 * losses[0]!, `from ${losses[0]} to ${losses.at(-1)}`);
});

/** Loss and gradients of a step in two parts, with dropout, gate and slots. */
function step(recomputesActivations: boolean): {
  losses: number[];
  gradients: Map<string, number[]>;
} {
  const recommender = tinyIlora({ adapter: { dropout: 0.3 } });
  const all = new LlmLearner(recommender, tinyDataset, {
    rates,
    curriculum: 'hybrid',
    recomputesActivations,
  });
  const random = new Generator(5);
  const parameters = [...(recommender.parts.adapter?.namedParameters() ?? [])];
  noGrad(() => {
    for (const [, parameter] of parameters) normal_(parameter, 0, 0.3, random);
  });
  const losses = [
    [0, 1],
    [2, 3],
  ].map((part) =>
    scope(() => {
      const loss = mul(all.loss(part, at(1)), 0.5);
      loss.backward();
      return loss.item();
    }),
  );
  return {
    losses,
    gradients: new Map(parameters.map(([key, { grad }]) => [key, grad?.toNumbers() ?? []])),
  };
}

test('recomputed activations give the same loss and gradients, dropout, gate and slots included', () => {
  const kept = step(false);
  const recomputed = step(true);
  assert.deepEqual(recomputed.losses, kept.losses);
  assert.deepEqual([...recomputed.gradients.keys()], [...kept.gradients.keys()]);
  for (const [key, gradient] of kept.gradients) {
    assert.ok(
      gradient.some((value) => value !== 0),
      `${key} has a gradient`,
    );
    close(recomputed.gradients.get(key) as number[], gradient, 1e-6);
  }
});

test('recomputed activations leave no tensor behind', async () => {
  const all = new LlmLearner(tinyIlora({ adapter: { dropout: 0.3 } }), tinyDataset, {
    rates,
    curriculum: 'hybrid',
    recomputesActivations: true,
  });
  const run = (): void => scope(() => all.loss(examples, at(1)).backward());
  run(); // the rotary tables stay
  await leaksNothing(run);
});
