/** Whether two programs order candidates alike, by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreement } from '../../../bench/compare/ranking.js';

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
