/** The short form of `npm run prove:import`: memory and correctness; times are reported, hardly bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Comparison } from '../../prove/import/work.js';
import { proof } from './proof.js';

test('an import holds what SQL says, in bounded memory, and can be opened', () => {
  const { status, stderr, document } = proof('import');
  const { ok, failures, comparisons, opened, byTime } = document as {
    ok: boolean;
    failures: string[];
    comparisons: Comparison[];
    opened: { instances: number; peakMb: number }[];
    byTime: { rows: Record<string, number>; peakMb: number };
  };
  assert.equal(status, 0, stderr);
  assert.deepEqual(failures, []);
  assert.equal(ok, true);
  assert.deepEqual(
    comparisons.map(({ interactions, users, items, format }) => [
      interactions,
      users,
      items,
      format,
    ]),
    [
      [200_000, 2000, 500, 'parquet'],
      [200_000, 2000, 500, 'csv'],
      [400_000, 4000, 1000, 'parquet'],
    ],
  );
  // Node and DuckDB take about 200 MB before the first row is read.
  for (const { peakMb, ratio, imports, sorts } of comparisons) {
    assert.ok(peakMb > 50 && peakMb < 600, `${peakMb} MB`);
    assert.ok(ratio > 0 && imports.length === 1 && sorts.length === 1);
  }
  assert.ok(opened.every(({ instances, peakMb }) => instances === 10_000 && peakMb < 500));
  assert.deepEqual(Object.keys(byTime.rows), ['train', 'validation', 'test', 'testWide']);
  assert.ok(byTime.peakMb < 600);
});
