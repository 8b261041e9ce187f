/** The run folder: one writer, lines that can be taken back, tensors in files. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { engineThreads, Tensor, zeros } from '../../../src/tensor/index.js';
import { RunFolder } from '../../../src/training/index.js';
import { loadTensors, saveTensors } from '../../../src/weights/tensor-file.js';
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
    assert.equal(locksOf(folder).length, 1, 'the refused one left the lock alone');
  });
  await assert.rejects(
    folder.whileLocked(async () => {
      throw new Error('as planned');
    }),
    /as planned/,
  );
  assert.equal(await other.whileLocked(async () => 7), 7);
  assert.deepEqual(locksOf(folder), []);
});

const locksOf = ({ path }: RunFolder): string[] =>
  readdirSync(path).filter((name) => name.includes('lock'));

test('of several that start at once one at a time is inside, and at least one gets in', async () => {
  const folder = newFolder();
  let inside = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () =>
      new RunFolder(folder.path).whileLocked(async () => {
        assert.equal(++inside, 1);
        await setTimeout(400);
        inside--;
      }),
    ),
  );
  assert.ok(results.some(({ status }) => status === 'fulfilled'));
  for (const result of results)
    if (result.status === 'rejected') assert.match(String(result.reason), /is training there/);
  assert.deepEqual(locksOf(folder), []);
});

test('a lock whose number now belongs to another process, or is of another boot, is taken over', async () => {
  const folder = newFolder();
  const host = hostname();
  const started = readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
    .split(') ')
    .at(-1)
    ?.split(' ')[19];
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const path = join(folder.path, `lock.${process.ppid}.00000000`);
  const lock = (owner: object): void => writeFileSync(path, JSON.stringify(owner));
  for (const stale of [
    { pid: process.ppid, host, boot, started: '1' },
    { pid: process.ppid, host, boot: 'another', started },
  ]) {
    lock(stale);
    assert.equal(await folder.whileLocked(async () => 7), 7, JSON.stringify(stale));
    assert.equal(existsSync(path), false);
  }
  lock({ pid: process.ppid, host, boot, started });
  await assert.rejects(
    folder.whileLocked(async () => 7),
    {
      code: 'training',
      message: new RegExp(`process ${process.ppid} is training there — wait for it or stop it`),
    },
  );
  lock({ pid: 1, host: 'elsewhere', boot, started: '1' });
  await assert.rejects(
    folder.whileLocked(async () => 7),
    {
      code: 'training',
      message: /process 1 of elsewhere is training there — if it is not any more, remove .*lock\./,
    },
  );
});

test('a lock that cannot be written is a file error that names the folder', async () => {
  const gone = new RunFolder(join(temporaryFolder(), 'nowhere'));
  await assert.rejects(
    gone.whileLocked(async () => 7),
    { code: 'file', message: /nowhere.*ENOENT/ },
  );
});

test('what killed writers left is removed by the next owner', async () => {
  const folder = newFolder();
  const left = ['.run.json.0123456789abcdef.tmp', '.lock.4194304999.00000000.0123456789abcdef.tmp'];
  for (const name of left) writeFileSync(join(folder.path, name), 'half');
  mkdirSync(join(folder.checkpoints, '.step-00000001.0123456789abcdef.tmp', 'deep'), {
    recursive: true,
  });
  writeFileSync(join(folder.path, '.mine.tmp'), 'not ours');
  await folder.whileLocked(async () => {});
  assert.deepEqual(readdirSync(folder.path).sort(), ['.mine.tmp', 'checkpoints']);
  assert.deepEqual(readdirSync(folder.checkpoints), []);
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
  folder.rewindMetrics({ metricsBytes: 0 });
  folder.log({ kind: 'step', step: 1, loss: 0.5 });
  const bytes = folder.metricsBytes;
  folder.log({ kind: 'step', step: 2, note: 'ü' });
  assert.equal(folder.readMetrics().length, 2);
  folder.rewindMetrics({ metricsBytes: bytes });
  assert.deepEqual(folder.readMetrics(), [{ kind: 'step', step: 1, loss: 0.5 }]);
  const sealed = folder.sealMetrics();
  assert.equal(sealed.metricsBytes, bytes);
  folder.log({ kind: 'step', step: 2 });
  new RunFolder(folder.path).rewindMetrics(sealed);
  assert.equal(folder.readMetrics().length, 1);
  for (const damaged of ['{"kind":"step","step":1,"loss":0.6}\n', '{"kind":"st', ''])
    assert.throws(
      () => {
        writeFileSync(folder.metrics, damaged);
        new RunFolder(folder.path).rewindMetrics(sealed);
      },
      { code: 'format', message: /metrics\.jsonl: expected to begin with the \d+ bytes/ },
      damaged,
    );
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
