import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numpyArgsort } from '../../../src/data/index.js';

test('the order sorts and is a permutation', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 }), (values) => {
      const order = Array.from(numpyArgsort(values));
      assert.deepEqual(
        order.map((i) => values[i]),
        values.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(order).size, values.length);
    }),
  );
});

test('up to 16 values ties keep their order, beyond they need not', () => {
  const order = (n: number): number[] => Array.from(numpyArgsort(new Array(n).fill(1)));
  assert.deepEqual(
    order(16),
    Array.from({ length: 16 }, (_, i) => i),
  );
  assert.notDeepEqual(
    order(17),
    Array.from({ length: 17 }, (_, i) => i),
  );
});

test('values that defeat the median of three fall back to heapsort and still sort', () => {
  const n = 4096;
  // Musser's sequence: every pivot is the second smallest of what is left.
  const values = new Array<number>(n);
  const half = n / 2;
  for (let i = 1; i <= half; i++) {
    values[i - 1] = i % 2 === 1 ? i : half + i - 1;
    values[half + i - 1] = 2 * i;
  }
  const order = numpyArgsort(values);
  for (let i = 1; i < n; i++) assert.ok(values[order[i - 1]!]! <= values[order[i]!]!);
});
