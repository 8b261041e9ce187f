/** Configs that promise more than anyone could hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countParameters, expectedShapes } from '../../../src/weights/model-config.js';
import { tinyConfig } from '../../support/models.js';

test('parameters of a million million layers are counted without a list of them', () => {
  const total = (numLayers: number): number => countParameters({ ...tinyConfig, numLayers }).total;
  const each = total(1) - total(0);
  assert.ok(each > 0);
  assert.equal(total(2 ** 40), total(0) + 2 ** 40 * each);
});

test('the count is that of the listed shapes', () => {
  for (const tieWordEmbeddings of [true, false]) {
    const config = { ...tinyConfig, tieWordEmbeddings };
    const sizes = [...expectedShapes(config)].map(
      ([name, shape]) => [name, shape.reduce((a, b) => a * b, 1)] as const,
    );
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    const tables = sizes
      .filter(([name]) => /embed|lm_head/.test(name))
      .reduce((sum, [, size]) => sum + size, 0);
    assert.deepEqual(countParameters(config), { total, nonEmbedding: total - tables });
  }
});
