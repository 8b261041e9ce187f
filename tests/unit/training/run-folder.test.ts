/** The run folder: one writer, lines that can be taken back, tensors in files. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { engineThreads, Tensor, zeros } from '../../../src/tensor/index.js';
import { RunFolder } from '../../../src/training/index.js';
import { loadTensors, saveTensors } from '../../../src/training/tensor-file.js';
import { temporaryFolder } from '../../support/folder.js';

engineThreads(1);

function newFolder(): RunFolder {
  const folder = new RunFolder(join(temporaryFolder(), 'run'));
  folder.prepare(false);
  return folder;
}

test('a second writer is refused while the first trains, and may after it, errors included', async () => {
  const folder = newFolder();
  const other = new RunFolder(folder.path);
  await folder.whileLocked(async () => {
    await assert.rejects(
      other.whileLocked(async () => assert.fail('it ran')),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'training');
        assert.match(error.message, new RegExp(`process ${process.pid} is training there`));
        return true;
      },
    );
    assert.ok(existsSync(join(folder.path, 'lock')), 'the refused one left the lock alone');
  });
  await assert.rejects(
    folder.whileLocked(async () => {
      throw new Error('as planned');
    }),
    /as planned/,
  );
  assert.equal(await other.whileLocked(async () => 7), 7);
  assert.equal(existsSync(join(folder.path, 'lock')), false);
});

test('the lock of a process that died, or a torn one, is taken over', async () => {
  const folder = newFolder();
  for (const content of ['4194304999', '', 'no number', '-1']) {
    writeFileSync(join(folder.path, 'lock'), content);
    assert.equal(await folder.whileLocked(async () => 7), 7, JSON.stringify(content));
  }
});

test('a folder that holds a run is continued only when asked', () => {
  const folder = newFolder();
  folder.prepare(false); // still without a run
  folder.writeJson(folder.run, { a: 1 });
  assert.throws(() => new RunFolder(folder.path).prepare(false), {
    code: 'usage',
    message: /expected a new folder, got "one that holds a run" — add --resume/,
  });
  folder.prepare(true);
  assert.equal(readFileSync(folder.run, 'utf8'), '{\n  "a": 1\n}\n');
});

test('metrics are lines that can be counted in bytes and taken back', () => {
  const folder = newFolder();
  assert.equal(folder.metricsBytes, 0);
  assert.deepEqual(folder.readMetrics(), []);
  folder.truncateMetrics(0);
  folder.log({ kind: 'step', step: 1, loss: 0.5 });
  const bytes = folder.metricsBytes;
  folder.log({ kind: 'step', step: 2, note: 'ü' });
  assert.equal(folder.readMetrics().length, 2);
  folder.truncateMetrics(bytes);
  assert.deepEqual(folder.readMetrics(), [{ kind: 'step', step: 1, loss: 0.5 }]);
});

test('tensors come back from a file with their bits, shapes and metadata', () => {
  const path = join(temporaryFolder(), 'tensors.safetensors');
  const tensors = new Map([
    ['a', Tensor.from(Float32Array.of(1, -0, Number.NaN, 3e38), [2, 2])],
    ['b.c', Tensor.from(Float64Array.of(0.1), [])],
    ['d', Tensor.from(BigInt64Array.of(-5n, 2n ** 62n))],
    ['e', Tensor.from(Int32Array.of(7), [1, 1, 1])],
    ['none', zeros([0, 3])],
  ]);
  saveTensors(path, tensors, { step: '4' });
  const loaded = loadTensors(path);
  assert.deepEqual({ ...loaded.metadata }, { step: '4' });
  assert.deepEqual([...loaded.tensors.keys()].sort(), [...tensors.keys()].sort());
  for (const [key, tensor] of tensors) {
    const back = loaded.tensors.get(key) as Tensor;
    assert.deepEqual([back.shape, back.dtype], [tensor.shape, tensor.dtype], key);
    assert.deepEqual(
      Buffer.from(back.toTypedArray().buffer),
      Buffer.from(tensor.toTypedArray().buffer),
      key,
    );
  }
  assert.deepEqual(readdirSync(join(path, '..')), ['tensors.safetensors'], 'no temporary file');
});

test('bfloat16 is widened to float32 in a file', () => {
  const path = join(temporaryFolder(), 'tensors.safetensors');
  saveTensors(path, new Map([['a', zeros([2], { dtype: 'bfloat16' })]]));
  assert.equal(loadTensors(path).tensors.get('a')?.dtype, 'float32');
});
