/** Figures over the whole catalog, in expectation over draws, and what the filter takes out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CandidateQuery,
  firstPlaceOdds,
  type Instance,
  reciprocalPlaceOdds,
} from '../../../src/data/index.js';
import {
  affordableCatalog,
  CATALOG_LIMIT,
  compare,
  compareWithAll,
  evaluate,
  outcomeOf,
} from '../../../src/evaluation/index.js';
import { Random } from '../../../src/random/index.js';
import type { Recommender, Retriever } from '../../../src/recommenders/index.js';

/** Scores of all items, one list per row, of which each query gets those it asks for. */
function catalogScorer(
  scores: readonly (readonly number[])[],
  name = 'fixed',
): Recommender & { sizes: number[] } {
  const sizes: number[] = [];
  return {
    name,
    trainableParameters: 7,
    sizes,
    async score(queries: readonly CandidateQuery[]) {
      sizes.push(queries.length);
      return (queries as readonly Instance[]).map(({ candidates, row }) => ({
        scores: candidates.map((item) => scores[row]![item]!),
      }));
    },
  };
}

const instance = (row: number, more: Partial<Instance> = {}): Instance => ({
  split: 'test',
  row,
  user: `user ${row}`,
  history: [8, 9],
  target: 0,
  candidates: [0, 1, 2],
  pool: 7,
  ...more,
});

test('by hand: rivals, expectations and places in a catalog of ten', async () => {
  const scores = [
    [5, 6, 1, 5, 0, 0, 0, 0, 9, 9], // items 1 and 3 are rivals: 3 ties, 8 and 9 are the history
    [5, 0, 0, 0, 0, 0, 0, 0, 9, 0],
  ];
  const recommender = catalogScorer(scores);
  const { metrics, outcomes, catalogSize, filter, protocol } = await evaluate(
    recommender,
    [instance(0), instance(1)],
    { catalogSize: 10 },
  );
  assert.deepEqual(
    outcomes.map(({ place, rivals, pool, scores }) => ({ place, rivals, pool, scores })),
    [
      { place: 2, rivals: 2, pool: 7, scores: [5, 6, 1] },
      { place: 1, rivals: 0, pool: 7, scores: [5, 0, 0] },
    ],
  );
  assert.deepEqual([catalogSize, filter, protocol], [10, undefined, 'window']);
  // Two of seven are drawn: none of two rivals in 10 of 21 draws, one in 10, both in 1.
  assert.ok(Math.abs(metrics.expected_hr_at_1!.value - (10 / 21 + 1) / 2) < 1e-12);
  assert.ok(Math.abs(metrics.expected_mrr!.value - ((10 + 5 + 1 / 3) / 21 + 1) / 2) < 1e-12);
  assert.equal(metrics.expected_hr_at_1!.interval, 'bootstrap');
  assert.equal(metrics.catalog_hr_at_10!.value, 1);
  assert.equal(metrics.catalog_ndcg_at_10!.value, (0.5 + 1) / 2);
  assert.equal(metrics.recall_at_50!.interval, 'wilson');
});

test('without a catalog there are no such figures, and candidates get the same scores', async () => {
  const scores = [[5, 6, 1, 5, 0, 0, 0, 0, 9, 9]];
  const frozen = await evaluate(catalogScorer(scores), [instance(0)]);
  const whole = await evaluate(catalogScorer(scores), [instance(0)], { catalogSize: 10 });
  assert.deepEqual(Object.keys(frozen.metrics).at(-1), 'mrr');
  assert.equal(frozen.outcomes[0]!.rivals, undefined);
  const { rivals: _, ...same } = whole.outcomes[0]!;
  assert.deepEqual(same, frozen.outcomes[0]);
});

test('rows whose candidates were not drawn have places in the catalog, and no expectations', async () => {
  const { pool: _, ...given } = instance(0);
  const { metrics } = await evaluate(catalogScorer([[3, 4, 5, 0, 0, 0, 0, 0, 0, 0]]), [given], {
    catalogSize: 10,
  });
  assert.equal(metrics.expected_hr_at_1, undefined);
  assert.equal(metrics.catalog_ndcg_at_10!.value, 0.5);
});

test('a repeat among candidates that were not drawn stands behind the whole catalog', async () => {
  const { pool: _, ...given } = instance(0, { history: [8, 9, 0], protocol: 'history' });
  const { outcomes } = await evaluate(catalogScorer([[3, 4, 5, 0, 0, 0, 0, 0, 0, 0]]), [given], {
    catalogSize: 10,
  });
  assert.deepEqual([outcomes[0]!.isRepeat, outcomes[0]!.rivals], [true, 9]);
});

test('expected HR@1 and MRR are the means over many draws of candidates', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 8, maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      (catalogScores, negatives, seed) => {
        const history = [catalogScores.length - 1];
        const others = catalogScores.map((_, item) => item).slice(1, -1);
        const random = new Random(seed, 'draws');
        const draws = 3000;
        const sums = { hits: 0, reciprocals: 0 };
        let rivals = -1;
        for (let draw = 0; draw < draws; draw++) {
          const order = random.permutation(others.length);
          const drawn = Array.from(order.slice(0, negatives), (i) => others[i]!);
          const candidates = [0, ...drawn];
          const outcome = outcomeOf(
            instance(0, { history, candidates, pool: others.length }),
            { scores: candidates.map((item) => catalogScores[item]!) },
            { catalogScores },
          );
          rivals = outcome.rivals!;
          sums.hits += Number(outcome.hit);
          sums.reciprocals += 1 / outcome.place!;
        }
        const odds = { pool: others.length, rivals, negatives };
        // Five standard errors of the mean of values in [0, 1].
        const tolerance = (5 * 0.5) / Math.sqrt(draws);
        assert.ok(Math.abs(sums.hits / draws - firstPlaceOdds(odds)) < tolerance);
        assert.ok(Math.abs(sums.reciprocals / draws - reciprocalPlaceOdds(odds)) < tolerance);
      },
    ),
    { numRuns: 25, seed: 1 },
  );
});

test('in history, what the user has had is no answer, and the evaluation says how much that was', async () => {
  const scores = [
    [5, 6, 1, 5, 0, 0, 0, 0, 9, 9],
    [5, 0, 0, 0, 0, 0, 0, 0, 9, 0],
  ];
  // Item 1 was had before the window of 8 and 9; negatives are drawn from seven items all the same.
  const rows = [
    instance(0, { history: [1, 8, 9], protocol: 'history' }),
    instance(1, { history: [0, 8, 9], protocol: 'history' }),
  ];
  const { outcomes, metrics, filter, protocol } = await evaluate(catalogScorer(scores), rows, {
    catalogSize: 10,
  });
  assert.equal(protocol, 'history');
  assert.deepEqual(filter, { candidates: 1, share: 1 / 4, targets: 1 });
  const [first, repeat] = outcomes;
  assert.deepEqual([first!.place, first!.hit, first!.rivals], [1, true, 1]);
  assert.deepEqual(first!.scores, [5, Number.NEGATIVE_INFINITY, 1]);
  // The target itself was had before: last of all, never found.
  assert.deepEqual(
    [repeat!.place, repeat!.hit, repeat!.rivals, repeat!.isRepeat],
    [3, false, 7, true],
  );
  assert.equal(metrics.recall_at_50!.count, 1);
  // Two of seven without the one rival: 15 of 21.
  assert.ok(Math.abs(metrics.expected_hr_at_1!.count - 15 / 21) < 1e-12);
  const windows = await evaluate(
    catalogScorer(scores),
    rows.map(({ protocol: _, ...row }) => row),
  );
  assert.deepEqual([windows.outcomes[0]!.place, windows.outcomes[1]!.place], [2, 1]);
});

test('instances of another protocol are refused by their row', async () => {
  const rows = [instance(0, { protocol: 'history' }), instance(1, { protocol: 'window' })];
  const recommender = catalogScorer([
    [1, 0, 0],
    [1, 0, 0],
  ]);
  await assert.rejects(evaluate(recommender, rows), {
    code: 'data',
    message: 'row 1: expected an instance of the protocol history, got "window"',
  });
  await assert.rejects(evaluate(recommender, rows.slice(0, 1), { protocol: 'window' }), /row 0:/);
});

test('a large catalog is scored few rows at a time', async () => {
  const size = 1 << 21;
  const scores = Array.from({ length: 3 }, () => new Array<number>(size).fill(0));
  const recommender = catalogScorer(scores);
  const rows = [0, 1, 2].map((row) => instance(row, { pool: size - 3 }));
  await evaluate(recommender, rows, {
    catalogSize: size,
    resamples: 1,
  });
  assert.deepEqual(recommender.sizes, [2, 1]);
});

test('scores of another number than the catalog, or none, are errors', async () => {
  const short = { ...catalogScorer([]), score: async () => [{ scores: [1, 2, 3] }] };
  await assert.rejects(evaluate(short, [instance(0)], { catalogSize: 10 }), {
    message: 'row 0: expected 10 scores, one per item, got 3',
  });
  const scores = [[5, 6, 1, Number.NaN, 0, 0, 0, 0, 0, 0]];
  await assert.rejects(evaluate(catalogScorer(scores), [instance(0)], { catalogSize: 10 }), {
    message: 'row 0: expected scores of the catalog that are numbers, got NaN',
  });
  const infinite = { scores: [1, Number.POSITIVE_INFINITY, 0] };
  assert.throws(() => outcomeOf(instance(0), infinite), /expected scores that are numbers/);
});

test('a catalog is affordable for retrievers, up to a size', () => {
  const retriever: Retriever = { retrieve: async () => [] };
  assert.equal(affordableCatalog({ retriever }, CATALOG_LIMIT), CATALOG_LIMIT);
  assert.equal(affordableCatalog({ retriever }, CATALOG_LIMIT + 1), undefined);
  assert.equal(affordableCatalog({}, 10), undefined);
});

/** One row per user; the first method has no rival, the second as many as said. */
async function twoMethods(rivals: readonly number[]) {
  const rows = rivals.map((_, row) => instance(row));
  const of = (counts: readonly number[]) =>
    counts.map((count) => [5, ...[1, 2, 3, 4, 5, 6, 7].map((i) => (i <= count ? 9 : 0)), 0, 0]);
  const options = { catalogSize: 10, resamples: 50 };
  return [
    await evaluate(catalogScorer(of(rivals.map(() => 0)), 'one'), rows, options),
    await evaluate(catalogScorer(of(rivals), 'two'), rows, options),
  ] as const;
}

test('a paired test of expected HR@1 by hand: six users of one sign, 2 of 64 patterns', async () => {
  const [one, two] = await twoMethods([2, 2, 2, 2, 2, 2]);
  const { expected, differences } = compare(one, two, { resamples: 20_000 });
  assert.ok(Math.abs(expected!.pValue - 2 / 64) < 0.004, `${expected!.pValue}`);
  assert.ok(Math.abs(differences.expected_hr_at_1!.value - 11 / 21) < 1e-12);
  assert.ok(Math.abs(differences.expected_mrr!.value - (1 - (15 + 1 / 3) / 21)) < 1e-12);
  // Users of 1, 2 and 3 rivals: patterns as far as the sum are all of one sign.
  const [first, second] = await twoMethods([1, 2, 3]);
  const uneven = compare(first, second, { resamples: 20_000 });
  assert.ok(Math.abs(uneven.expected!.pValue - 2 / 8) < 0.012, `${uneven.expected!.pValue}`);
});

test('of several comparisons each p-value of expected HR@1 is Holm-adjusted with its like', async () => {
  const [one, two] = await twoMethods([2, 2, 2, 2]);
  const frozen = await evaluate(
    catalogScorer(
      one.outcomes.map(() => [5, 9, 9]),
      'three',
    ),
    one.outcomes.map(({ row }) => instance(row)),
    { resamples: 50 },
  );
  const [withTwo, again, withThree] = compareWithAll(one, [two, two, frozen]);
  assert.equal(withTwo!.expected!.adjustedPValue, Math.min(1, 2 * withTwo!.expected!.pValue));
  assert.equal(again!.expected!.adjustedPValue, withTwo!.expected!.adjustedPValue);
  assert.equal(withThree!.expected, undefined);
  assert.equal(withThree!.differences.expected_hr_at_1, undefined);
});

test('evaluations of different protocols are never compared', async () => {
  const [one, two] = await twoMethods([1]);
  assert.throws(() => compare(one, { ...two, protocol: 'history' }), {
    code: 'data',
    message: /compare\(one, two\): expected two evaluations of the protocol window, got "history"/,
  });
  assert.equal(compare(one, two).protocol, 'window');
});
