/** Files as tensors: mapped, not copied. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  add,
  bitcast,
  engineThreads,
  mapFile,
  narrow,
  reshape,
  zero_,
} from '../../../src/tensor/index.js';
import { temporaryFolder } from '../../support/folder.js';

engineThreads(1);

const folder = temporaryFolder();
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

test('a mapped file has its bytes, and read as another type its numbers', () => {
  const numbers = Float32Array.of(1, -2.5, 1e10, 0);
  const path = file('numbers', new Uint8Array(numbers.buffer));
  const bytes = mapFile(path, 16);
  assert.deepEqual([bytes.shape, bytes.dtype], [[16], 'uint8']);
  assert.deepEqual(bytes.toTypedArray(), new Uint8Array(numbers.buffer));
  const matrix = reshape(bitcast(bytes, 'float32'), [2, 2]);
  assert.deepEqual(matrix.toNumbers(), [1, -2.5, 1e10, 0]);
  assert.deepEqual(add(bitcast(narrow(bytes, 0, 4, 4), 'float32'), 1).toNumbers(), [-1.5]);
});

test('mapping a file of 512 MB takes no memory until it is read, and then what is read', () => {
  const path = file('large', new Uint8Array(0));
  const size = 512 * 2 ** 20;
  truncateSync(path, size); // a hole: no disk either
  const before = process.memoryUsage.rss();
  const bytes = mapFile(path, size);
  assert.deepEqual(narrow(bytes, 0, size - 4, 4).toNumbers(), [0, 0, 0, 0]);
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  assert.ok(grown < 100, `${Math.round(grown)} MiB more`);
  bytes.dispose();
});

test('writing into a mapped tensor leaves the file as it is', () => {
  const path = file('private', Uint8Array.of(1, 2, 3, 4));
  const bytes = mapFile(path, 4);
  zero_(bytes);
  assert.deepEqual(bytes.toNumbers(), [0, 0, 0, 0]);
  assert.deepEqual([...readFileSync(path)], [1, 2, 3, 4]);
});

test('a missing file, a folder and more bytes than there are are errors that name the file', () => {
  const path = file('short', Uint8Array.of(1, 2, 3));
  const cases: [string, number][] = [
    [join(folder, 'none'), 4],
    [folder, 4],
    [path, 1 << 20],
    [path, -1],
  ];
  for (const [name, size] of cases)
    assert.throws(
      () => mapFile(name, size),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'engine');
        assert.ok(error.message.includes(name));
        return true;
      },
    );
});
