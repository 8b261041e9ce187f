import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstPlaceOdds, reciprocalPlaceOdds } from '../../../src/data/index.js';

/** All subsets of n out of 0 ... pool - 1, of which the first `rivals` are rivals. */
function enumerate(pool: number, rivals: number, negatives: number): number[] {
  const found: number[] = [];
  const go = (from: number, left: number, met: number): void => {
    if (left === 0) found.push(met);
    else for (let i = from; i <= pool - left; i++) go(i + 1, left - 1, met + (i < rivals ? 1 : 0));
  };
  go(0, negatives, 0);
  return found;
}

const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

test('expectations over draws are the means over every draw there is', () => {
  for (const pool of [1, 4, 7])
    for (let rivals = 0; rivals <= pool; rivals++)
      for (let negatives = 0; negatives <= pool; negatives++) {
        const met = enumerate(pool, rivals, negatives);
        const odds = { pool, rivals, negatives };
        const first = mean(met.map((x) => (x === 0 ? 1 : 0)));
        const reciprocal = mean(met.map((x) => 1 / (1 + x)));
        assert.ok(Math.abs(firstPlaceOdds(odds) - first) < 1e-12, JSON.stringify(odds));
        assert.ok(Math.abs(reciprocalPlaceOdds(odds) - reciprocal) < 1e-12, JSON.stringify(odds));
      }
});

test('numbers that cannot be are refused', () => {
  for (const odds of [
    { pool: 5, rivals: 6, negatives: 1 },
    { pool: 5, rivals: 1, negatives: 6 },
    { pool: 5, rivals: 0.5, negatives: 1 },
    { pool: -1, rivals: 0, negatives: 0 },
  ]) {
    assert.throws(() => firstPlaceOdds(odds), /whole numbers/);
    assert.throws(() => reciprocalPlaceOdds(odds), /whole numbers/);
  }
});
