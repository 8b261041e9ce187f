import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { importInteractions, openDataset, writeDataset } from '../../../src/data/index.js';
import { fixtures, temporaryFolder, tinyDraft } from './helper.js';

/** Id of a process that has ended. */
const dead = spawnSync(process.execPath, ['--version']).pid;

test('a stopped write leaves nothing behind, and what stood there stays', async () => {
  const root = temporaryFolder();
  const folder = join(root, 'tiny');
  await assert.rejects(writeDataset(folder, tinyDraft(), { signal: AbortSignal.abort() }), {
    code: 'aborted',
  });
  assert.deepEqual(readdirSync(root), []);
  const { hash } = await writeDataset(folder, tinyDraft());
  const controller = new AbortController();
  const stopped = writeDataset(folder, tinyDraft(), {
    overwrite: true,
    seed: 5,
    signal: controller.signal,
  });
  controller.abort();
  await assert.rejects(stopped, { code: 'aborted' });
  assert.deepEqual(readdirSync(root), ['tiny']);
  assert.equal((await openDataset(folder)).hash, hash);
});

test('the next write clears what a killed one left, of that dataset and of dead processes only', async () => {
  const root = temporaryFolder();
  const names = [`a.b.writing-${dead}`, `a.b.writing-${process.ppid}`, `axb.writing-${dead}`];
  for (const name of names) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'items.tsv'), 'half');
  }
  await writeDataset(join(root, 'a.b'), tinyDraft());
  assert.deepEqual(
    readdirSync(root).sort(),
    ['a.b', `a.b.writing-${process.ppid}`, `axb.writing-${dead}`].sort(),
  );
});

test('a dataset that was being replaced when the process was killed is put back', async () => {
  const root = temporaryFolder();
  const folder = join(root, 'tiny');
  const { hash } = await writeDataset(folder, tinyDraft());
  renameSync(folder, `${folder}.old-${dead}`);
  await assert.rejects(writeDataset(folder, tinyDraft(), { seed: 5 }), /expected a new or empty/);
  assert.deepEqual(readdirSync(root), ['tiny']);
  assert.equal((await openDataset(folder)).hash, hash);
  // Killed after both renames: the new one stands, the old one goes.
  mkdirSync(`${folder}.old-${dead}`);
  await writeDataset(folder, tinyDraft(), { seed: 5, overwrite: true });
  assert.deepEqual(readdirSync(root), ['tiny']);
});

test('an import clears the temporary folder of a killed one and leaves none itself', async () => {
  const stale = join(tmpdir(), `ilora-import-${dead}-test`);
  mkdirSync(stale, { recursive: true });
  const options = { interactions: join(fixtures, 'ratings.csv'), inFileOrder: true };
  await importInteractions(options);
  assert.equal(existsSync(stale), false);
  await assert.rejects(importInteractions({ ...options, signal: AbortSignal.abort() }), {
    code: 'aborted',
  });
  const own = readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`ilora-import-${process.pid}-`),
  );
  assert.deepEqual(own, []);
});
