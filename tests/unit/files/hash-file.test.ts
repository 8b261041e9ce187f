import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hashFile, hashFileAsync } from '../../../src/files/index.js';

const folder = mkdtempSync(join(tmpdir(), 'hash-'));
after(() => rmSync(folder, { recursive: true }));

test('the hash is that of all bytes, both ways', async () => {
  for (const content of [Buffer.alloc(0), Buffer.alloc((9 << 20) + 5, 'several blocks ')]) {
    const path = join(folder, 'a');
    writeFileSync(path, content);
    const wanted = createHash('sha256').update(content).digest('hex');
    assert.equal(hashFile(path), wanted);
    assert.equal(await hashFileAsync(path), wanted);
  }
});

test('blocks can be changed on the way, with their places known', () => {
  const content = Buffer.alloc((4 << 20) + 3, 'x');
  const path = join(folder, 'b');
  writeFileSync(path, content);
  const places: number[] = [];
  const hash = hashFile(path, (block, position) => {
    places.push(position);
    block.fill('y');
  });
  assert.deepEqual(places, [0, 4 << 20]);
  assert.equal(hash, createHash('sha256').update(content.fill('y')).digest('hex'));
});

test('what is no readable file is named, and a stop ends it', async () => {
  assert.throws(() => hashFile(join(folder, 'none')), { code: 'file' });
  await assert.rejects(hashFileAsync(folder), { code: 'file', message: /got a folder/ });
  await assert.rejects(hashFileAsync(join(folder, 'b'), AbortSignal.abort()), { code: 'aborted' });
});
