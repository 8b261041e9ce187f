/**
 * SASRec and its learner agree with a plain version that goes place by place, in double precision:
 * states, logits, representations, both losses, all gradients; see generate.py.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SASRec, type SASRecOptions, SequenceLearner } from '../../../src/recommenders/index.js';
import { engineThreads, Generator, reshape, Tensor } from '../../../src/tensor/index.js';
import { Comparison, openFixture } from '../support/fixture.js';

engineThreads(1);

/** Double precision on both sides; the largest relative error seen was 1.2e-14. */
const TOLERANCE = 1e-12;

interface Facts {
  options: Omit<SASRecOptions, 'dropout'>;
  /** Each lacks one item of the catalog, which so is its only possible negative. */
  sequences: number[][];
  histories: number[][];
}

/** A position at which the learner's cuts begin at the first item of each sequence, as the reference's do. */
function uncutPosition(learner: SequenceLearner, places: number) {
  for (let seed = 0; seed < 10_000; seed++) {
    const position = { seed, step: 0, totalSteps: 1, batch: [] };
    // The first chunks of the two sequences are full only then: one has L targets, the other L - 1 in all.
    const counts = [0, learner.examples - 2].map((row) => learner.countTargets([row], position));
    if (counts[0] === places && counts[1] === places - 1) return position;
  }
  throw new Error('no seed cuts at the first item');
}

for (const preset of ['classic', 'modern']) {
  test(`${preset}: states, logits, representations, losses and gradients`, (t) => {
    const { facts, weights, wanted } = openFixture<Facts>(import.meta.dirname, preset);
    const comparison = new Comparison(wanted, TOLERANCE);
    const model = new SASRec({ ...facts.options, dropout: 0 }, new Generator(1));
    model.to('cpu', 'float64').load(weights, preset);
    const { maxHistory: L, width: M } = model.options;
    const first = Tensor.from(BigInt64Array.from(facts.sequences[0]?.slice(0, L) ?? [], BigInt));
    const states = reshape(model.forward(reshape(first, [1, L])), [L, M]);
    comparison.check('states', states);
    comparison.check('logits', model.logits(states));
    comparison.check('representations', model.represent(facts.histories));

    for (const loss of ['bce', 'softmax'] as const) {
      const sequences = facts.sequences.map((items, i) => ({
        user: `${i}`,
        items: Int32Array.from(items),
      }));
      const learner = new SequenceLearner(model, sequences, {
        learningRate: 1,
        weightDecay: 0,
        loss,
      });
      const position = uncutPosition(learner, L);
      const examples = Array.from({ length: learner.examples }, (_, i) => i);
      const targets = facts.sequences.reduce((total, items) => total + items.length - 1, 0);
      assert.equal(learner.countTargets(examples, position), targets);
      const parameters = new Map(model.namedParameters());
      for (const tensor of parameters.values()) tensor.setGrad();
      const value = learner.loss(examples, position);
      value.backward();
      comparison.check(`loss ${loss}`, [value.item()]);
      const gradients = new Map(
        [...parameters].map(([key, tensor]) => [key, tensor.grad as Tensor]),
      );
      comparison.checkFingerprints(`gradients ${loss}`, gradients);
      comparison.check(`item gradient ${loss}`, gradients.get('items.weight') as Tensor);
    }
    t.diagnostic(comparison.finish());
  });
}
