/** Figures of the benchmarks, by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreement } from '../../../bench/compare/ranking.js';
import { median, ratio, relativeDifference, rounded, spread } from '../../../harness/statistics.js';

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.throws(() => median([]), /expected at least one value/);
});

test('a ratio is of the medians, its spread of the rounds', () => {
  const found = ratio([6, 8, 20], [2, 4, 5]);
  assert.equal(found.ofMedians, 2); // 8 / 4
  assert.deepEqual([found.min, found.median, found.max], [2, 3, 4]); // 3, 2, 4
  assert.throws(() => ratio([1, 2], [1]), /as many rounds, got 2 and 1/);
});

test('differences are relative to the reference', () => {
  assert.equal(relativeDifference(11, 10), 0.1);
  assert.equal(relativeDifference(-1, -2), 0.5);
  assert.equal(relativeDifference(0, 0), 0);
});

test('documents are rounded in all depths, whole numbers left alone', () => {
  assert.deepEqual(rounded({ a: 1.23456789, b: [{ c: 123456789 }, 'x', null] }), {
    a: 1.2346,
    b: [{ c: 123456789 }, 'x', null],
  });
});

test('rankings agree up to ties, and say which rows do not', () => {
  const reference = [
    [-1, -2, -3],
    [-5, -5.00001, -4],
    [-1, -2, -3],
  ];
  const scores = [
    [-1.1, -2.1, -2.9],
    [-5.00002, -5, -4],
    [-1, -3, -2],
  ];
  const { rows, differing, sameFirst, largestDifference } = agreement(scores, reference);
  assert.deepEqual({ rows, differing, sameFirst }, { rows: 3, differing: [2], sameFirst: 1 });
  assert.equal(largestDifference, 1);
  assert.deepEqual(agreement([[1]], [[1, 2]]).differing, [0], 'a candidate without a score');
});
