/** Starting values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xavierNormal } from '../../../src/nn/index.js';
import { engineThreads, Generator } from '../../../src/tensor/index.js';

engineThreads(1);

test('xavier-normal numbers have the variance 2 / (I + O), over all places of a convolution', () => {
  const values = xavierNormal([30, 20, 10], new Generator(4)).toNumbers();
  const variance = values.reduce((total, x) => total + x * x, 0) / values.length;
  assert.ok(Math.abs(variance * 500 - 2) < 0.1, `${variance * 500}`);
});
