/** Every metric at every place, and what the intervals rest on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../../src/evaluation/index.js';
import { METRIC_NAMES, metricLabel, metricParts } from '../../../src/evaluation/metric.js';
import { outcomeOf } from '../../../src/evaluation/outcome.js';
import { fixed, instances } from './helper.js';

/** The outcome of a row whose target comes in at `place` of twelve. */
function outcomeAt(place: number) {
  const [instance] = instances(1, { numCandidates: 12 });
  return outcomeOf(instance!, {
    scores: Array.from({ length: 12 }, (_, item) => (item === 0 ? 0 : item < place ? 1 : -1)),
  });
}

/** A metric's value for a row with the target at each of the ranks. */
const at = (name: (typeof METRIC_NAMES)[number], ranks: readonly number[]): number[] =>
  ranks.map((place) => metricParts(name, [outcomeAt(place)])![0]!.value);

test('HR@k counts ranks up to k and no further', () => {
  assert.deepEqual(at('hr_at_1', [1, 2]), [1, 0]);
  assert.deepEqual(at('hr_at_3', [1, 2, 3, 4]), [1, 1, 1, 0]);
  assert.deepEqual(at('hr_at_5', [4, 5, 6]), [1, 1, 0]);
  assert.deepEqual(at('hr_at_10', [9, 10, 11]), [1, 1, 0]);
});

test('NDCG@k is 1 / log2(1 + place) up to k and 0 beyond, MRR 1 / place', () => {
  assert.deepEqual(at('ndcg_at_5', [1, 3, 5, 6]), [1, 0.5, 1 / Math.log2(6), 0]);
  assert.deepEqual(at('ndcg_at_10', [7, 10, 11]), [1 / 3, 1 / Math.log2(11), 0]);
  assert.deepEqual(at('mrr', [1, 2, 4, 12]), [1, 0.5, 0.25, 1 / 12]);
});

test('labels carry the cut they belong to', () => {
  assert.deepEqual(METRIC_NAMES.map(metricLabel), [
    'HR@1',
    'HR@1 (valid)',
    'ValidRatio',
    'HR@3',
    'HR@5',
    'HR@10',
    'NDCG@5',
    'NDCG@10',
    'MRR',
    'expected HR@1',
    'expected MRR',
    'catalog HR@10',
    'catalog NDCG@10',
    'recall@50',
  ]);
});

test('a metric that one row cannot tell is not told for the others', () => {
  const ranked = outcomeAt(2);
  const generated = { ...ranked, place: undefined };
  assert.equal(metricParts('mrr', [ranked, generated]), undefined);
  assert.equal(metricParts('hr_at_3', [generated, ranked]), undefined);
  assert.equal(metricParts('hr_at_1', [ranked, generated])?.length, 2);
});

test('shares of single rows have Wilson intervals, graded metrics the bootstrap', async () => {
  const scores = [
    [9, 1, 2, 3],
    [2, 1, 9, 0],
    [0, 1, 2, 3],
  ];
  const { metrics } = await evaluate(fixed(scores), instances(3), { resamples: 50 });
  const intervals = Object.entries(metrics).map(([name, { interval }]) => [name, interval]);
  assert.deepEqual(Object.fromEntries(intervals), {
    hr_at_1: 'wilson',
    hr_at_1_valid: 'wilson',
    valid_ratio: 'wilson',
    hr_at_3: 'wilson',
    hr_at_5: 'wilson',
    hr_at_10: 'wilson',
    ndcg_at_5: 'bootstrap',
    ndcg_at_10: 'bootstrap',
    mrr: 'bootstrap',
  });
});
