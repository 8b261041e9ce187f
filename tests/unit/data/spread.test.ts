import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evenlySpaced } from '../../../src/data/index.js';

test('evenly spaced places end with the last, and are all where there are no more', () => {
  assert.deepEqual(evenlySpaced(10, 5), [1, 3, 5, 7, 9]);
  assert.deepEqual(evenlySpaced(10, 3), [3, 6, 9]);
  assert.deepEqual(evenlySpaced(10, 1), [9]);
  assert.deepEqual(evenlySpaced(3, 5), [0, 1, 2]);
  assert.deepEqual(evenlySpaced(3, Number.POSITIVE_INFINITY), [0, 1, 2]);
  assert.deepEqual(evenlySpaced(0, 5), []);
});
