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

test('no success gives exactly 0 as the lower end and all successes exactly 1 as the upper one', () => {
  for (let total = 1; total <= 300; total++) {
    assert.equal(wilson(0, total).low, 0);
    assert.equal(wilson(total, total).high, 1);
  }
});

test('wilson refuses more successes than trials, naming both', () => {
  assert.throws(() => wilson(3, 2), /wilson\(count, total\): expected .*, got \[3, 2\]/);
  assert.throws(() => wilson(0, 0), /total > 0/);
  assert.throws(() => wilson(-1, 5), /got \[-1, 5\]/);
  assert.throws(() => wilson(Number.NaN, 5), /got \[NaN, 5\]/);
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

test('the ends are the 2.5 and 97.5 % quantiles, between two resamples on a straight line', () => {
  const parts = [
    { value: 0, weight: 1 },
    { value: 1, weight: 1 },
  ];
  const drawn = [0, 0.5, 1]; // both users are one, one of each, both the other
  let spread = 0;
  for (let seed = 0; seed < 30; seed++) {
    const ends = (resamples: number) => bootstrapRatio(parts, [[0], [1]], { seed, resamples });
    const one = ends(1);
    assert.equal(one.low, one.high);
    assert.ok(drawn.includes(one.low));
    // The first resample is the same, the second is what the ends leave over.
    const two = ends(2);
    const other = two.low + two.high - one.low;
    assert.ok(drawn.some((ratio) => Math.abs(ratio - other) < 1e-12));
    const [a, b] = [one.low, other].sort((x, y) => x - y) as [number, number];
    close(two.low, a + 0.025 * (b - a), 1e-12);
    const three = ends(3);
    const isExplained = drawn.some((third) => {
      const [x, y, z] = [a, b, third].sort((p, q) => p - q) as [number, number, number];
      const wanted = [x + 0.05 * (y - x), z - 0.05 * (z - y)] as const;
      return Math.hypot(three.low - wanted[0], three.high - wanted[1]) < 1e-12;
    });
    assert.ok(isExplained, `${one.low}, ${other}: ${three.low} to ${three.high}`);
    if (b > a) spread++;
  }
  assert.ok(spread > 5, 'resamples differ');
});

test('a resample without any row of the denominator is drawn again', () => {
  const parts = [
    { value: 1, weight: 1 },
    { value: 0, weight: 0 },
  ];
  for (let seed = 0; seed < 20; seed++)
    assert.deepEqual(bootstrapRatio(parts, [[0], [1]], { seed, resamples: 5 }), {
      low: 1,
      high: 1,
    });
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

test('users all of whose rows are alike count once each, and only those in the denominator', () => {
  const users = ['a', 'a', 'b', 'b', 'c', 'c'];
  const options = { seed: 1, resamples: 50, proportion: true };
  const rows = (value: number) =>
    [1, 1, 1, 0, 0, 0].map((weight) => ({ value: value * weight, weight }));
  for (const value of [0, 1]) {
    const { low, high, ...rest } = estimate(rows(value), users, options)!;
    assert.deepEqual(rest, { value, count: 3 * value, total: 3, interval: 'wilson' });
    assert.deepEqual({ low, high }, wilson(2 * value, 2), 'c is in no denominator');
  }
});

test('a mean that every resample shares keeps its own interval, unless it is a share of 0 or 1', () => {
  const users = ['a', 'a', 'b', 'b'];
  const options = { seed: 1, resamples: 50 };
  const ends = (values: number[], proportion: boolean) => {
    const parts = values.map((value) => ({ value, weight: 1 }));
    const { low, high, interval } = estimate(parts, users, { ...options, proportion })!;
    return [low, high, interval];
  };
  assert.deepEqual(ends([1, 0, 0, 1], true), [0.5, 0.5, 'bootstrap']);
  assert.deepEqual(ends([1, 1, 1, 1], false), [1, 1, 'bootstrap']);
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
