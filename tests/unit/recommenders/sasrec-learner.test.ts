/** Training of SASRec on whole sequences: what is a target, and that it learns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Sequence } from '../../../src/data/index.js';
import { Adam } from '../../../src/optim/index.js';
import {
  type SASRec,
  SequenceLearner,
  type SequenceLearnerOptions,
  type TrainingPosition,
} from '../../../src/recommenders/index.js';
import { engineThreads, noGrad, scope } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinySasrec } from '../../support/models.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const options: SequenceLearnerOptions = { learningRate: 0.01, weightDecay: 0, loss: 'softmax' };
const sequence = (items: readonly number[]): Sequence => ({
  user: 'u',
  items: Int32Array.from(items),
});
const at = (step: number, seed = 1): TrainingPosition => ({
  seed,
  step,
  totalSteps: 100,
  batch: [], // SASRec asks for no batch mates
});

/** All examples of a pass. */
const allOf = ({ examples }: SequenceLearner, epoch: number): number[] =>
  Array.from({ length: examples }, (_, row) => row + epoch * examples);

/** Pairs (inputs up to a target, target) that a loss was asked for, read off the model's inputs. */
function targetsOf(learner: SequenceLearner, epoch: number): number[][] {
  const seen: number[][] = [];
  const { model } = learner;
  const forward = model.forward.bind(model);
  const { catalogSize: N, maxHistory: L } = model.options;
  model.forward = (items, pass) => {
    const values = items.toNumbers();
    for (let row = 0; row < items.axis(0); row++)
      seen.push(values.slice(row * L, (row + 1) * L).filter((item) => item !== N));
    return forward(items, pass);
  };
  noGrad(() => scope(() => learner.loss(allOf(learner, epoch), at(0))));
  model.forward = forward;
  return seen;
}

test('each interaction but the first is a target exactly once in an epoch, at any offset', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 0, max: 50 }),
      (lengths, epoch) =>
        scope(() => {
          // The items of a sequence are its places, so that inputs name the targets: the next place.
          const sequences = lengths.map((length) =>
            sequence(Array.from({ length }, (_, place) => place)),
          );
          const model = tinySasrec({ catalogSize: 20, blocks: 1 });
          const learner = new SequenceLearner(model, sequences, options);
          const wanted = lengths.flatMap((length) =>
            Array.from({ length: Math.max(0, length - 1) }, (_, place) => place + 1),
          );
          const inputs = learner.examples === 0 ? [] : targetsOf(learner, epoch);
          const got = inputs.flat().map((place) => place + 1);
          const ascending = (a: number, b: number): number => a - b;
          assert.deepEqual(got.sort(ascending), wanted.sort(ascending));
          assert.equal(learner.countTargets(allOf(learner, epoch), at(0)), wanted.length);
        }),
    ),
    { numRuns: 40, seed: 2 },
  );
});

test('chunks are cut at other places in other epochs', () => {
  const learner = new SequenceLearner(
    tinySasrec({ catalogSize: 20 }),
    [sequence(Array.from({ length: 20 }, (_, i) => i))],
    options,
  );
  const cuts = new Set(
    [0, 1, 2, 3, 4, 5].map((epoch) => JSON.stringify(targetsOf(learner, epoch))),
  );
  assert.ok(cuts.size > 1);
  assert.deepEqual(targetsOf(learner, 3), targetsOf(learner, 3));
});

const sequences = [
  sequence([0, 1, 2, 3, 4, 5, 6, 7, 8]),
  sequence([11, 9, 7, 5, 3, 1]),
  sequence([2, 4, 6, 8]),
];

test('the loss of a batch is the sum over its examples, for both losses and any cut', () => {
  for (const loss of ['softmax', 'bce'] as const) {
    const model = tinySasrec().to('cpu', 'float64');
    const learner = new SequenceLearner(model, sequences, { ...options, loss });
    const all = allOf(learner, 2);
    const of = (part: number[]): number =>
      noGrad(() => scope(() => learner.loss(part, at(2)).item()));
    const whole = of(all);
    const parts = all.map((example) => of([example]));
    close([parts.reduce((a, b) => a + b)], [whole], 1e-9);
    close([of(all.slice(0, 2)) + of(all.slice(2))], [whole], 1e-9);
    const gradients = (cut: number[][]): number[] => {
      model.items.weight.setGrad();
      for (const part of cut) scope(() => learner.loss(part, at(2)).backward());
      return model.items.weight.grad!.toNumbers();
    };
    close(gradients(all.map((example) => [example])), gradients([all]), 1e-9);
  }
});

test('a step is one part, or as many as keep the logits of each small', () => {
  const long = Array.from({ length: 5 }, () => sequence(Array.from({ length: 61 }, (_, i) => i)));
  const learner = (catalogSize: number) =>
    new SequenceLearner(tinySasrec({ catalogSize, maxHistory: 60, width: 2 }), long, options);
  const small = learner(100);
  assert.deepEqual(small.cut(allOf(small, 0), at(0)), [allOf(small, 0)]);
  const large = learner(2 ** 20); // 64 targets have 2²⁶ logits
  const parts = large.cut(allOf(large, 0), at(0));
  assert.deepEqual(parts.flat(), allOf(large, 0));
  assert.ok(parts.length >= 5);
  for (const part of parts) assert.ok(large.countTargets(part, at(0)) <= 64);
});

test('the softmax loss is the negative log-likelihood of the next items', () => {
  const model = tinySasrec().to('cpu', 'float64');
  const learner = new SequenceLearner(model, [sequence([3, 1, 4])], options);
  const epochs = [0, 1, 2, 3, 4, 5, 6, 7];
  const firstOf = (epoch: number): number[] => allOf(learner, epoch).slice(0, 1);
  const epoch = epochs.find((e) => learner.countTargets(firstOf(e), at(0)) === 2);
  assert.ok(epoch !== undefined, 'in some epoch one chunk holds both targets');
  const nll = (history: readonly number[], target: number): number => {
    const logits = model.logits(model.represent([history])).toNumbers();
    return Math.log(logits.reduce((total, x) => total + Math.exp(x), 0)) - logits[target]!;
  };
  const got = noGrad(() => scope(() => learner.loss(allOf(learner, epoch), at(0)).item()));
  close([got], [nll([3], 1) + nll([3, 1], 4)], 1e-9);
});

test('sequences of one item or none are no examples', () => {
  const learner = new SequenceLearner(tinySasrec(), [sequence([]), sequence([4])], options);
  assert.equal(learner.examples, 0);
});

test('a chunk without targets has a loss of zero and gradients of zero', () => {
  const learner = new SequenceLearner(tinySasrec(), [sequence([0, 1, 2, 3, 4, 5, 6])], options);
  const epochs = Array.from({ length: 60 }, (_, i) => i);
  const secondOf = (epoch: number): number[] => allOf(learner, epoch).slice(1, 2);
  const epoch = epochs.find((e) => learner.countTargets(secondOf(e), at(0)) === 0);
  assert.ok(epoch !== undefined, 'in some epoch the first chunk holds all six targets');
  const loss = learner.loss(secondOf(epoch), at(0));
  assert.equal(loss.item(), 0);
  loss.backward();
  const gradient = learner.model.items.weight.grad?.toNumbers() ?? [];
  assert.ok(gradient.every((value) => value === 0));
});

/** Losses over steps on the same batch. */
function overfit(model: SASRec, loss: 'softmax' | 'bce', steps: number): number[] {
  const learner = new SequenceLearner(model, sequences, { ...options, loss, learningRate: 0.02 });
  const adam = new Adam(learner.parameterGroups());
  const all = allOf(learner, 0);
  return Array.from({ length: steps }, () => {
    const value = scope(() => {
      const total = learner.loss(all, at(0));
      total.backward();
      return total.item();
    });
    adam.step();
    adam.zeroGrad();
    return value;
  });
}

for (const preset of ['classic', 'modern'] as const) {
  for (const loss of ['softmax', 'bce'] as const) {
    test(`${preset} with ${loss}: one batch overfits, 40 steps take over 80 % off the loss`, () => {
      const losses = overfit(tinySasrec({ preset, blocks: 1 }), loss, 40);
      assert.ok(losses.at(-1)! < 0.2 * losses[0]!, `from ${losses[0]} to ${losses.at(-1)}`);
    });
  }
}

test('two hundred training steps with dropout leave no tensor behind', async () => {
  const model = tinySasrec({ blocks: 1, dropout: 0.2 });
  overfit(model, 'softmax', 1);
  const learner = new SequenceLearner(model, sequences, options);
  const adam = new Adam(learner.parameterGroups());
  const all = allOf(learner, 0);
  await leaksNothing(() => {
    for (let step = 0; step < 200; step++) {
      scope(() => learner.loss(all, at(step)).backward());
      adam.step();
      adam.zeroGrad();
    }
  });
});
