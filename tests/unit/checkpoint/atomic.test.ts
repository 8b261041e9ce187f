import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileError, writeFileAtomic, writeFolderAtomic } from '../../../src/checkpoint/index.js';

const folder = mkdtempSync(join(tmpdir(), 'ilora-atomic-'));
after(() => rmSync(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes text, bytes and blocks, and replaces', () => {
    const path = join(folder, 'file');
    writeFileAtomic(path, 'ü');
    assert.equal(readFileSync(path, 'utf8'), 'ü');
    writeFileAtomic(path, Uint8Array.of(1, 2));
    writeFileAtomic(path, [Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)]);
    assert.deepEqual([...readFileSync(path)], [1, 2, 3]);
    assert.deepEqual(readdirSync(folder), ['file']);
  });
  it('leaves the old file and nothing else when the writer fails half way', () => {
    const path = join(folder, 'file');
    writeFileAtomic(path, 'old');
    function* failing(): Iterable<Uint8Array> {
      yield Uint8Array.of(1);
      throw new Error('half way');
    }
    assert.throws(() => writeFileAtomic(path, failing()), /half way/);
    assert.equal(readFileSync(path, 'utf8'), 'old');
    assert.deepEqual(readdirSync(folder), ['file']);
  });
  it('names path and reason', () => {
    assert.throws(() => writeFileAtomic(join(folder, 'no', 'file'), ''), {
      code: 'file',
      message: /no.file: expected a file that can be written, got no such .* \(ENOENT\) — check/,
    });
    mkdirSync(join(folder, 'taken'));
    assert.throws(() => writeFileAtomic(join(folder, 'taken'), ''), { code: 'file' });
  });
  it('says what a full disk means', () => {
    const full = Object.assign(new Error(), { code: 'ENOSPC' });
    assert.match(fileError('x', 'a file', full).message, /got no space left .* — free some space/);
  });
});

describe('writeFolderAtomic', () => {
  it('shows a folder only when it is whole', () => {
    const path = join(folder, 'run');
    writeFolderAtomic(path, (inside) => {
      assert.ok(!existsSync(path));
      mkdirSync(join(inside, 'deep'));
      writeFileSync(join(inside, 'deep', 'file'), 'x');
    });
    assert.equal(readFileSync(join(path, 'deep', 'file'), 'utf8'), 'x');
    assert.throws(() => writeFolderAtomic(path, () => {}), /expected a new folder/);
  });
  it('leaves nothing when filling fails', () => {
    const before = readdirSync(folder);
    const fail = () => {
      throw new Error('stop');
    };
    assert.throws(() => writeFolderAtomic(join(folder, 'other'), fail), /stop/);
    assert.deepEqual(readdirSync(folder), before);
  });
});
