import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { replaceFolder } from '../../../src/files/index.js';

const place = mkdtempSync(join(tmpdir(), 'replace-'));
after(() => rmSync(place, { recursive: true }));
const [target, source, aside] = ['target', 'source', 'aside'].map((name) => join(place, name)) as [
  string,
  string,
  string,
];

function fill(folder: string, file: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, file), '');
}

test('a folder is put in its place, and in that of another', async () => {
  for (const file of ['first', 'second']) {
    fill(source, file);
    await replaceFolder(target, source, aside);
    assert.deepEqual(readdirSync(target), [file]);
    assert.deepEqual(readdirSync(place), ['target']);
  }
});

test('what stood there is put back if the new one cannot take its place', async () => {
  await assert.rejects(replaceFolder(target, join(place, 'none'), aside), { code: 'ENOENT' });
  assert.deepEqual(readdirSync(target), ['second']);
  assert.deepEqual(readdirSync(place), ['target']);
});
