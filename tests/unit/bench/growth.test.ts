/** The statistics of the measurements, on figures known in advance; and how the commands refuse. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fitExponent, isWorseThanLinear, upperHalf } from '../../../bench/growth/fit.js';
import { held, learned, qualityOf, secondsTo } from '../../../bench/sasrec/task.js';
import { ROOT } from '../../../harness/index.js';

const powers = (exponent: number, sizes = [1, 2, 4, 8, 16, 32]) =>
  sizes.map((size) => ({ size, cost: 3 * size ** exponent }));

test('the exponent of an exact power is found without error', () => {
  for (const exponent of [0, 0.5, 1, 2]) {
    const fit = fitExponent(powers(exponent));
    assert.ok(Math.abs(fit.exponent - exponent) < 1e-12);
    assert.ok((fit.standardError as number) < 1e-12);
    assert.ok(Math.abs(fit.scale - 3) < 1e-12);
    assert.deepEqual([fit.from, fit.to], [1, 32]);
  }
});

test('the standard error is the one of least squares', () => {
  // y = 0, 1, 1 over x = 0, 1, 2: slope 1/2, residuals -1/6, 1/3, -1/6, s² = 1/6, error √(1/12).
  const points = [0, 1, 1].map((y, x) => ({ size: Math.exp(x), cost: Math.exp(y) }));
  const { exponent, standardError } = fitExponent(points);
  assert.ok(Math.abs(exponent - 0.5) < 1e-12);
  assert.ok(Math.abs((standardError as number) - Math.sqrt(1 / 12)) < 1e-12);
});

test('two points give an exponent and no error; one gives none', () => {
  assert.equal(fitExponent(powers(1, [1, 10])).standardError, undefined);
  assert.throws(() => fitExponent(powers(1, [1])), RangeError);
  assert.throws(() => fitExponent([{ size: 1, cost: 0 }, ...powers(1)]), RangeError);
});

test('the upper half has half of the sizes, and three at least', () => {
  const sizes = (points: { size: number }[]) => points.map(({ size }) => size);
  assert.deepEqual(sizes(upperHalf(powers(1))), [8, 16, 32]);
  assert.deepEqual(sizes(upperHalf(powers(1, [1, 2, 4]))), [1, 2, 4]);
});

test('linear growth with noise is not called worse than linear', () => {
  assert.ok(!isWorseThanLinear({ exponent: 1.12, standardError: 0.05 }));
  assert.ok(isWorseThanLinear({ exponent: 1.3, standardError: 0.05 }));
});

test('a rank counts what scores as high as the target, without the history', () => {
  const rows = [
    { history: [0], target: 1 },
    { history: [3], target: 2 },
  ];
  const scores = Float32Array.of(9, 5, 1, 0, 7, 6, 6, 9); // ranks 1 and 3
  const { hr_at_10, ndcg_at_10 } = qualityOf(rows, scores, 4);
  assert.equal(hr_at_10, 1);
  assert.ok(Math.abs(ndcg_at_10 - (1 + 1 / Math.log2(4)) / 2) < 1e-12);
});

test('held-out items are not learned, and the time to a quality is that of the first epoch that has it', () => {
  const items = [5, 6, 7, 8, 9];
  assert.deepEqual(learned(items), [5, 6, 7]);
  assert.deepEqual(held(items, 'validation'), { history: [5, 6, 7], target: 8 });
  assert.deepEqual(held(items, 'test'), { history: [5, 6, 7, 8], target: 9 });
  const curve = [1, 2, 3].map((seconds) => ({ seconds, ndcg_at_10: seconds / 10 }));
  assert.equal(secondsTo(curve, 0.2), 2);
  assert.equal(secondsTo(curve, 0.4), undefined);
});

test('the commands refuse an unknown flag with 2 and name those they have', () => {
  for (const name of ['load', 'growth', 'sasrec']) {
    const args = ['--import', 'tsx', join(ROOT, 'bench', `${name}.ts`), '--fast'];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 2, stderr);
    assert.match(stderr, new RegExp(`bench:${name}: .*--fast[\\s\\S]*--quick --json`));
  }
});
