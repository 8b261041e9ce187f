/** A sequence model and its learner beside what sequence_model.py asked of the reference. */
import assert from 'node:assert/strict';
import { type SequenceEncoder, SequenceLearner } from '../../../src/recommenders/index.js';
import { reshape, Tensor } from '../../../src/tensor/index.js';
import { Comparison, type Fixture } from './fixture.js';

/** Double precision on both sides. */
const TOLERANCE = 1e-12;

export interface SequenceFacts<Options> {
  options: Options;
  /** Each lacks one item of the catalog, which so is its only possible negative. */
  sequences: number[][];
  histories: number[][];
}

/**
 * Compares states, logits, representations, both losses and all gradients.
 * @param model in double precision, with the fixture's weights
 * @returns the largest error, in words
 */
export function compareModel(
  model: SequenceEncoder,
  { facts: { sequences, histories }, wanted }: Fixture<SequenceFacts<unknown>>,
): string {
  const comparison = new Comparison(wanted, TOLERANCE);
  const { maxHistory: L, representationWidth: S } = model;
  const first = Tensor.from(BigInt64Array.from(sequences[0]?.slice(0, L) ?? [], BigInt), [1, L]);
  const states = reshape(model.forward(first), [L, S]);
  comparison.check('states', states);
  comparison.check('logits', model.logits(states));
  comparison.check('representations', model.represent(histories));
  for (const loss of ['bce', 'softmax'] as const) {
    const learner = learnerOf(model, sequences, loss);
    const examples = Array.from({ length: learner.examples }, (_, i) => i);
    const position = uncutPosition(learner, L);
    const targets = sequences.reduce((total, items) => total + items.length - 1, 0);
    assert.equal(learner.countTargets(examples, position), targets);
    const parameters = new Map(model.namedParameters());
    for (const tensor of parameters.values()) tensor.setGrad();
    const value = learner.loss(examples, position);
    value.backward();
    comparison.check(`loss ${loss}`, [value.item()]);
    const gradients = new Map([...parameters].map(([key, { grad }]) => [key, grad as Tensor]));
    comparison.checkFingerprints(`gradients ${loss}`, gradients);
    comparison.check(`item gradient ${loss}`, gradients.get('items.weight') as Tensor);
  }
  return comparison.finish();
}

function learnerOf(model: SequenceEncoder, rows: number[][], loss: 'bce' | 'softmax') {
  const sequences = rows.map((items, i) => ({ user: `${i}`, items: Int32Array.from(items) }));
  return new SequenceLearner(model, sequences, { learningRate: 1, weightDecay: 0, loss });
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
