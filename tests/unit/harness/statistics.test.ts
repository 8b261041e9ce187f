/** Figures over rounds and samples, by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  median,
  quantile,
  ratio,
  relativeDifference,
  rounded,
  slope,
  spread,
} from '../../../harness/statistics.js';

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.throws(() => median([]), /expected at least one value/);
});

test('a quantile is the least value that the share does not exceed', () => {
  assert.deepEqual(
    [0, 0.5, 0.75, 0.99].map((share) => quantile([4, 1, 3, 2], share)),
    [1, 2, 3, 4],
  );
  assert.throws(() => quantile([], 0.5), /expected at least one value/);
});

test('a slope is that of least squares', () => {
  // y = 0, 1, 1 over x = 0, 1, 2: products with x - 1 sum to 1, its squares to 2.
  assert.equal(
    slope([
      [0, 0],
      [1, 1],
      [2, 1],
    ]),
    0.5,
  );
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
