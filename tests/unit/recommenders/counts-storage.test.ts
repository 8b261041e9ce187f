/** Saved counts: they come back as they were, and a file that cannot be counts is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Cooccurrence,
  cooccurrenceStorage,
} from '../../../src/recommenders/counts/cooccurrence.js';
import { Popularity, popularityStorage } from '../../../src/recommenders/counts/popularity.js';
import { scope, Tensor } from '../../../src/tensor/index.js';

const catalogSize = 4;
const sequences = [[0, 1, 2], [1, 2], [3]].map((items) => ({ items: Int32Array.from(items) }));
const query = { history: [1, 2], candidates: [0, 1, 2, 3] };

function refused<T>(
  storage: { read(saved: ReadonlyMap<string, Tensor>, where: string): T },
  saved: Record<string, readonly number[]>,
  message: RegExp,
): void {
  scope(() => {
    const tensors = Object.entries(saved).map(
      ([key, values]) => [key, Tensor.from(Float64Array.from(values))] as const,
    );
    assert.throws(() => storage.read(new Map(tensors), 'best'), { code: 'format', message });
  });
}

test('popularity comes back, and counts that are none are refused', async () => {
  const storage = popularityStorage(catalogSize);
  const model = new Popularity({ catalogSize, sequences });
  const opened = scope(() => storage.read(storage.state(model), 'best'));
  assert.deepEqual(await opened.score([query]), await model.score([query]));
  for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    refused(storage, { counts: [1, 2, wrong, 0] }, /counts: expected finite numbers/);
  refused(storage, { counts: [1, 2] }, /counts: expected shape \[4\], got \[2\]/);
});

test('co-occurrence comes back with its settings, and meetings that are none are refused', async () => {
  const storage = cooccurrenceStorage(catalogSize);
  const model = new Cooccurrence({ catalogSize, sequences, window: 1, decay: 0.5 });
  const opened = scope(() => storage.read(storage.state(model), 'best'));
  assert.deepEqual(opened.settings, model.settings);
  assert.deepEqual(await opened.score([query]), await model.score([query]));

  const right = { rows: [0, 1], columns: [1, 0], counts: [1, 1], settings: [10, 0.8, 0.5, 10] };
  for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    refused(storage, { ...right, counts: [1, wrong] }, /counts: expected finite numbers above 0/);
  for (const wrong of [4, -1, 0.5]) {
    refused(storage, { ...right, rows: [0, wrong] }, /rows, columns: expected items below 4/);
    refused(storage, { ...right, columns: [1, wrong] }, /rows, columns: expected items below 4/);
  }
  refused(storage, { ...right, rows: [0, 0], columns: [1, 1] }, /each pair once/);
  refused(storage, { ...right, rows: [0] }, /expected the same length/);
  refused(storage, { ...right, extra: [1] }, /extra: expected no such tensor/);
});
