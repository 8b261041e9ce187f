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
import {
  appendAtomic,
  fileError,
  removeTemporaries,
  syncFile,
  writeFileAtomic,
  writeFolderAtomic,
} from '../../../src/files/index.js';

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

describe('appendAtomic', () => {
  it('appends whole texts and says how many bytes', () => {
    const path = join(folder, 'log');
    assert.equal(appendAtomic(path, 'ü\n'), 3);
    assert.equal(appendAtomic(path, 'b\n'), 2);
    assert.equal(readFileSync(path, 'utf8'), 'ü\nb\n');
    syncFile(path);
  });
  it('names path and reason', () => {
    const path = join(folder, 'none', 'log');
    const refused = { code: 'file', message: /none.log: expected .*ENOENT/ };
    assert.throws(() => appendAtomic(path, 'x'), refused);
    assert.throws(() => syncFile(path), refused);
  });
});

describe('temporary names', () => {
  it('are new each time, so that what a killed writer left blocks no later one', () => {
    const inside = mkdtempSync(join(folder, 'names-'));
    const names = new Set<string>();
    for (let i = 0; i < 50; i++)
      writeFileAtomic(
        join(inside, 'file'),
        (function* () {
          for (const name of readdirSync(inside)) if (name !== 'file') names.add(name);
          yield Uint8Array.of(i);
        })(),
      );
    assert.equal(names.size, 50);
    for (const name of names) writeFileSync(join(inside, name), 'left');
    writeFileSync(join(inside, '.mine.tmp'), 'not a temporary of ours');
    removeTemporaries(inside);
    assert.deepEqual(readdirSync(inside).sort(), ['.mine.tmp', 'file']);
  });
});
