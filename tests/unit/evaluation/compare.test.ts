import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compare, compareWithAll, holm, mcnemar } from '../../../src/evaluation/index.js';
import { evaluationOf, generatedOf } from './helper.js';

const repeat = (hit: boolean, times: number) => Array<boolean>(times).fill(hit);

test('exact McNemar by hand', () => {
  assert.equal(mcnemar(0, 0), 1);
  assert.equal(mcnemar(5, 5), 1);
  assert.ok(Math.abs(mcnemar(0, 6) - 2 / 64) < 1e-12);
  assert.ok(Math.abs(mcnemar(1, 9) - (2 * 11) / 1024) < 1e-12);
  assert.ok(Math.abs(mcnemar(3, 15) - (2 * (1 + 18 + 153 + 816)) / 2 ** 18) < 1e-12);
});

test('McNemar is symmetric, in (0, 1] and finite for thousands of rows', () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.nat(3000), (a, b) => {
      const p = mcnemar(a, b);
      assert.equal(p, mcnemar(b, a));
      assert.ok(p >= 0 && p <= 1);
    }),
    { numRuns: 50 },
  );
});

test('Holm by hand, in the order of the arguments, never below the p-value', () => {
  assert.deepEqual(
    holm([0.03, 0.01, 0.04]).map((p) => Number(p.toFixed(6))),
    [0.06, 0.03, 0.06],
  );
  assert.deepEqual(holm([]), []);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
      holm(ps).forEach((adjusted, index) => {
        assert.ok(adjusted >= ps[index]! && adjusted <= 1);
      });
    }),
  );
});

test('differences, discordant rows and p-value of two methods', async () => {
  const one = await evaluationOf([...repeat(true, 9), ...repeat(false, 11)], 'one');
  const two = await evaluationOf([true, ...repeat(false, 18), true], 'two');
  const comparison = compare(one, two, { resamples: 2000 });
  assert.deepEqual(comparison.methods, ['one', 'two']);
  assert.deepEqual(comparison.hits, { both: 1, onlyFirst: 8, onlySecond: 1, neither: 10 });
  assert.equal(comparison.test, 'mcnemar');
  assert.ok(Math.abs(comparison.pValue - 20 / 512) < 1e-12);
  const { hr_at_1, mrr } = comparison.differences;
  assert.ok(Math.abs(hr_at_1.value - 7 / 20) < 1e-12);
  assert.ok(hr_at_1.low > 0 && hr_at_1.low < hr_at_1.value && hr_at_1.value < hr_at_1.high);
  assert.ok(mrr !== undefined && mrr.value > 0);
});

test('swapping the methods mirrors the comparison', async () => {
  const one = await evaluationOf([true, true, false, true, false, true], 'one');
  const two = await evaluationOf([false, true, true, false, false, false], 'two');
  const forth = compare(one, two);
  const back = compare(two, one);
  assert.equal(forth.pValue, back.pValue);
  assert.ok(Math.abs(forth.differences.hr_at_1.value + back.differences.hr_at_1.value) < 1e-12);
});

test('a method compared with itself differs nowhere', async () => {
  const one = await evaluationOf([true, false, true], 'one');
  const { pValue, differences } = compare(one, one);
  assert.equal(pValue, 1);
  assert.deepEqual(differences.hr_at_1, { value: 0, low: 0, high: 0 });
});

test('repeated users flip sign together; one row per user agrees with McNemar', async () => {
  const userOf = (row: number) => `user ${row % 2}`;
  const hits = repeat(true, 20);
  const misses = repeat(false, 20);
  const clustered = compare(
    await evaluationOf(hits, 'one', userOf),
    await evaluationOf(misses, 'two', userOf),
  );
  assert.equal(clustered.test, 'sign-flip');
  // Two users of the same sign: half of the four patterns are as far from zero.
  assert.ok(Math.abs(clustered.pValue - 0.5) < 0.02, `${clustered.pValue}`);
  // Eight users with two rows each, all in favour: 2 of 256 patterns.
  const eight = compare(
    await evaluationOf(repeat(true, 16), 'one', (row) => `user ${row % 8}`),
    await evaluationOf(repeat(false, 16), 'two', (row) => `user ${row % 8}`),
  );
  assert.ok(Math.abs(eight.pValue - mcnemar(8, 0)) < 0.004, `${eight.pValue}`);
});

/** Rows of users a to d: three wins, one win, a win and a loss, one loss of the first method. */
const usersOfRows = 'aaabccd';
const userAt = (row: number) => usersOfRows[row]!;
const wins = await evaluationOf([true, true, true, true, true, false, false], 'one', userAt);
const losses = await evaluationOf([false, false, false, false, false, true, true], 'two', userAt);

test('the sign-flip test by hand: users of 3, 1, 0 and -1 sum up to 3, as do six of eight patterns', () => {
  for (const [first, second] of [
    [wins, losses],
    [losses, wins],
  ] as const) {
    const { test: used, pValue, numUsers } = compare(first, second);
    assert.deepEqual([used, numUsers], ['sign-flip', 4]);
    assert.ok(Math.abs(pValue - 6 / 8) < 0.015, `${pValue}`);
  }
});

test('the pattern seen counts as one: where all are as far, p is exactly 1', async () => {
  const userOf = () => 'one user';
  const first = await evaluationOf([true, true], 'one', userOf);
  const second = await evaluationOf([false, false], 'two', userOf);
  for (const resamples of [1, 3, 100])
    assert.equal(compare(first, second, { resamples }).pValue, 1);
});

test('where no drawn pattern is as far, p is one of the resamples and the one seen', async () => {
  const userOf = (row: number) => `user ${row >> 1}`;
  const first = await evaluationOf(repeat(true, 120), 'one', userOf);
  const second = await evaluationOf(repeat(false, 120), 'two', userOf);
  assert.equal(compare(first, second, { resamples: 9 }).pValue, 1 / 10);
});

test('unless said otherwise seed 0 and 10,000 resamples are used', () => {
  assert.deepEqual(compare(wins, losses), compare(wins, losses, { seed: 0, resamples: 10_000 }));
});

test('ranked rows and generated texts are compared by HR@1 alone', async () => {
  const ranked = await evaluationOf([true, false], 'ranked');
  const generated = generatedOf(['0', '0']);
  for (const { differences } of [compare(ranked, generated), compare(generated, ranked)]) {
    assert.equal(Math.abs(differences.hr_at_1.value), 0.5);
    assert.deepEqual([differences.ndcg_at_10, differences.mrr], [undefined, undefined]);
  }
});

test('several comparisons carry the Holm-adjusted p-value', async () => {
  const best = await evaluationOf(repeat(true, 10), 'best');
  const others = [
    await evaluationOf(repeat(false, 10), 'worst'),
    await evaluationOf([...repeat(true, 8), false, false], 'close'),
  ];
  const [worst, close] = compareWithAll(best, others);
  assert.equal(worst!.adjustedPValue, 2 * worst!.pValue);
  assert.equal(close!.adjustedPValue, close!.pValue);
});

test('other rows, targets or candidates are refused, naming row and methods', async () => {
  const one = await evaluationOf([true, false], 'one');
  const longer = await evaluationOf([true, false, true], 'two');
  assert.throws(() => compare(one, longer), /compare\(one, two\): expected the same 2 rows/);
  const other = structuredClone(one);
  other.outcomes[1]!.candidates = [0, 1, 3, 2];
  assert.throws(
    () => compare(one, other),
    /row 1: expected candidates \[0, 1, 2, 3\], got \[0, 1, 3, 2\]/,
  );
  other.outcomes[1]!.candidates = [0, 1, 2, 3, 4];
  assert.throws(() => compare(one, other), /row 1: expected candidates/);
  other.outcomes[0]!.user = 'nobody';
  assert.throws(() => compare(one, other), /row 0: expected the same user/);
});
