import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootstrapRatio, wilson } from '../../../src/evaluation/index.js';
import { estimate, groupByUser } from '../../../src/evaluation/interval.js';

const close = (actual: number, expected: number, tolerance = 5e-4) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`);

test('wilson agrees with published examples', () => {
  // R. G. Newcombe, Statistics in Medicine 1998, table I, method 3 (score): 81/263, 15/148, 0/20, 1/29.
  for (const [count, total, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    const ends = wilson(count, total);
    close(ends.low, low, 6e-5);
    close(ends.high, high, 6e-5);
  }
});

test('wilson stays in [0, 1], contains the proportion and mirrors', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.nat(2000), (total, seed) => {
      const count = seed % (total + 1);
      const { low, high } = wilson(count, total);
      const mirrored = wilson(total - count, total);
      assert.ok(low >= 0 && high <= 1 && low <= count / total && high >= count / total);
      close(mirrored.low, 1 - high, 1e-12);
    }),
  );
});

test('wilson refuses more successes than trials, naming both', () => {
  assert.throws(() => wilson(3, 2), /wilson\(count, total\): expected .*, got \[3, 2\]/);
  assert.throws(() => wilson(0, 0), /total > 0/);
});

test('the bootstrap of a proportion is close to Wilson and repeats with its seed', () => {
  const parts = Array.from({ length: 200 }, (_, row) => ({ value: row < 80 ? 1 : 0, weight: 1 }));
  const groups = parts.map((_, row) => [row]);
  const options = { seed: 3, resamples: 4000 };
  const ends = bootstrapRatio(parts, groups, options);
  const exact = wilson(80, 200);
  close(ends.low, exact.low, 0.012);
  close(ends.high, exact.high, 0.012);
  assert.deepEqual(bootstrapRatio(parts, groups, options), ends);
  assert.notDeepEqual(bootstrapRatio(parts, groups, { ...options, seed: 4 }), ends);
});

test('repeating every row of a user does not narrow the interval', () => {
  const options = { seed: 1, resamples: 2000, proportion: true };
  const rows = Array.from({ length: 60 }, (_, row) => ({
    value: row % 3 === 0 ? 1 : 0,
    weight: 1,
  }));
  const users = rows.map((_, row) => `u${row}`);
  const once = estimate(rows, users, options)!;
  const copies = [0, 1, 2, 3];
  const often = estimate(
    rows.flatMap((row) => copies.map(() => row)),
    users.flatMap((user) => copies.map(() => user)),
    options,
  )!;
  assert.equal(once.interval, 'wilson');
  assert.equal(often.interval, 'bootstrap');
  assert.equal(often.total, 240);
  close(often.high - often.low, once.high - once.low, 0.03);
});

test('all hits of repeated users still leave an interval', () => {
  const rows = Array.from({ length: 20 }, () => ({ value: 1, weight: 1 }));
  const users = rows.map((_, row) => `u${row % 10}`);
  const figure = estimate(rows, users, { seed: 1, resamples: 50, proportion: true })!;
  assert.equal(figure.value, 1);
  assert.equal(figure.low, wilson(10, 10).low);
});

test('a ratio without any row in its denominator has no estimate', () => {
  const rows = [{ value: 0, weight: 0 }];
  const options = { seed: 1, resamples: 10, proportion: true };
  assert.equal(estimate(rows, ['u'], options), undefined);
  assert.throws(() => bootstrapRatio(rows, [[0]], options), /at least one row/);
});

test('groups keep every row once, users in order of appearance', () => {
  assert.deepEqual(groupByUser(['b', 'a', 'b']), [[0, 2], [1]]);
});
