/** What words let expect of an encoder's vectors: ridge regression, and which items it may look at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standardised } from '../../../src/recommenders/llm/item-text-vectors.js';
import { regressedVectors } from '../../../src/recommenders/llm/streaming/regressed-vectors.js';
import { add, engineThreads, matmul, mul, Tensor } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { close, noise } from '../../support/numeric.js';

engineThreads(1);

const [N, D, X] = [4000, 3, 2];
const texts_ND = standardised(noise([N, D], 1));
const map_DX = noise([D, X], 2);
const counts = Array.from({ length: N }, (_, i) => (i < 10 ? 0 : 25));
const linear_NX = add(matmul(texts_ND, map_DX), 3);

/** With some rows replaced. */
function replaced(x_NX: Tensor, rows: readonly number[], value: number): Tensor {
  const values = x_NX.toNumbers();
  for (const row of rows) values.fill(value, row * X, (row + 1) * X);
  return Tensor.from(Float64Array.from(values), [N, X]);
}

test('where vectors follow from words, those of unknown items are found, constant included', () => {
  const given = replaced(linear_NX, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1e6);
  const found = regressedVectors(texts_ND, given, counts);
  assert.deepEqual(found.shape, [N, X]);
  assert.equal(found.dtype, 'float64');
  close(found, linear_NX, 0.05);
});

test('an item’s own vector, known or not, tells nothing of what is expected of it', () => {
  const own = (x_NX: Tensor, row: number): number[] =>
    regressedVectors(texts_ND, x_NX, counts)
      .toNumbers()
      .slice(row * X, (row + 1) * X);
  const moved = replaced(linear_NX, [100], 50);
  assert.deepEqual(own(moved, 100), own(linear_NX, 100));
  // Four of five other items see it.
  const seen = [101, 102, 103, 104, 105, 106, 107, 108, 109, 110].filter(
    (row) => own(moved, row)[0] !== own(linear_NX, row)[0],
  );
  assert.ok(seen.length >= 4 && seen.length < 10, `${seen.length} of 10 see it`);
});

test('vectors that have nothing to do with words are expected to be the mean', () => {
  const found = regressedVectors(texts_ND, add(noise([N, X], 7), 3), counts);
  close(
    found,
    mul(add(linear_NX, mul(linear_NX, -1)), 0)
      .toNumbers()
      .map(() => 3),
    0.4,
  );
});

test('items of few occurrences weigh less', () => {
  const rare = counts.map((count, i) => (i >= 2000 && count > 0 ? 1 : count));
  const half = Array.from({ length: 2000 }, (_, i) => 2000 + i);
  const off = replaced(linear_NX, half, 0);
  const distance = (weights: readonly number[]): number => {
    const found = regressedVectors(texts_ND, off, weights).toNumbers();
    const wanted = linear_NX.toNumbers();
    return Math.hypot(...found.slice(0, 10 * X).map((x, i) => x - (wanted[i] as number)));
  };
  assert.ok(distance(rare) < distance(counts) / 3);
});

test('of fewer than ten known items nothing is expected', () => {
  const few = counts.map((_, i) => (i < 9 ? 30 : 0));
  assert.ok(
    regressedVectors(texts_ND, linear_NX, few)
      .toNumbers()
      .every((x) => x === 0),
  );
});

test('it leaves no tensor behind', async () => {
  await leaksNothing(() => regressedVectors(texts_ND, linear_NX, counts).dispose());
});
