/** Zip archives: one entry into memory, some into a folder, and what is refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { IloraError } from '../../../src/errors/index.js';
import { readZipEntry, unpackZip } from '../../../src/files/index.js';
import { type ZipEntry, zipOf } from '../../support/zip.js';

const place = mkdtempSync(join(tmpdir(), 'zip-'));
after(() => rmSync(place, { recursive: true }));
const content = Buffer.from('titles and ratings '.repeat(50));
let made = 0;

/** Path of a new file with these bytes. */
function fileOf(bytes: Buffer): string {
  const path = join(place, `${made++}.zip`);
  writeFileSync(path, bytes);
  return path;
}

/** Path of a new folder. */
function newFolder(): string {
  return mkdtempSync(join(place, 'folder-'));
}

const isWanted = (): boolean => true;

/** Unpacks an archive of these entries; nothing of it may stand beside the folder. */
async function unpackAll(...entries: ZipEntry[]): Promise<string[]> {
  const outer = newFolder();
  try {
    return await unpackZip(fileOf(zipOf(...entries)), join(outer, 'inner'), { isWanted });
  } finally {
    assert.deepEqual(
      readdirSync(outer).filter((name) => name !== 'inner'),
      [],
    );
  }
}

test('stored and deflated entries are read', async () => {
  for (const method of [0, 8])
    assert.deepEqual(
      await readZipEntry(fileOf(zipOf({ name: 'a/b.txt', content, method })), 'a/b.txt'),
      content,
    );
});

test('an entry of several blocks is read whole', async () => {
  const large = Buffer.alloc(5 << 20, 'all of it, ');
  for (const method of [0, 8])
    assert.deepEqual(
      await readZipEntry(fileOf(zipOf({ name: 'a', content: large, method })), 'a'),
      large,
    );
});

test('a missing or too large entry is named', async () => {
  const path = fileOf(zipOf({ name: 'a', content }));
  await assert.rejects(readZipEntry(path, 'b'), {
    code: 'format',
    message: `${path}: expected an entry "b", got nothing`,
  });
  await assert.rejects(readZipEntry(path, 'a', { maxBytes: 10 }), {
    code: 'format',
    message: `${path}:a: expected an entry of at most 10 bytes, got 950 bytes`,
  });
});

test('an entry that unpacks to more than it promises is refused', async () => {
  const path = fileOf(zipOf({ name: 'a', content, size: 10 }));
  await assert.rejects(readZipEntry(path, 'a', { maxBytes: 10 }), {
    code: 'format',
    message: /expected a whole zip archive, got too many bytes/,
  });
});

test('another checksum is refused', async () => {
  const path = fileOf(zipOf({ name: 'a', content, crc: 1 }));
  await assert.rejects(readZipEntry(path, 'a'), {
    code: 'format',
    message: /another checksum of a$/,
  });
});

test('wanted entries are unpacked under their names, the others are not', async () => {
  const folder = newFolder();
  const zip = zipOf(
    { name: 'a/', content: '' },
    { name: 'a/b.so', content: 'b' },
    { name: 'a/c/d.so.1', content: 'd' },
    { name: 'a/e.py', content: 'e' },
    { name: 'empty.so', content: '', method: 0 },
  );
  const names = await unpackZip(fileOf(zip), folder, {
    isWanted: (name) => /\.so(\.\d+)?$/.test(name),
  });
  assert.deepEqual(names, ['a/b.so', 'a/c/d.so.1', 'empty.so']);
  assert.equal(readFileSync(join(folder, 'a/c/d.so.1'), 'utf8'), 'd');
  assert.equal(readFileSync(join(folder, 'empty.so'), 'utf8'), '');
  assert.equal(existsSync(join(folder, 'a/e.py')), false);
});

test('a name that leaves the folder is refused', async () => {
  for (const name of ['../outside', 'a/../../outside', '/outside', 'c:/outside', '..\\outside'])
    await assert.rejects(unpackAll({ name, content }), {
      code: 'format',
      message: /expected a whole zip archive, got (invalid relative|absolute) path/,
    });
});

test('a link is refused, and so is what would be written through it', async () => {
  await assert.rejects(unpackAll({ name: 'link', content: '..', mode: 0o120777, method: 0 }), {
    code: 'format',
    message: /:link: expected a plain file, got a symbolic link$/,
  });
  await assert.rejects(unpackAll({ name: 'device', content: '', mode: 0o020666, method: 0 }), {
    code: 'format',
  });
});

test('encrypted and otherwise packed entries are refused', async () => {
  await assert.rejects(unpackAll({ name: 'a', content, flags: 1 }), {
    code: 'format',
    message: /:a: expected a stored or deflated entry, got an encrypted one$/,
  });
  await assert.rejects(unpackAll({ name: 'a', content, method: 12 }), {
    code: 'format',
    message: /got method 12$/,
  });
});

test('a missing archive and a folder in its place are named', async () => {
  await assert.rejects(readZipEntry(join(place, 'none.zip'), 'a'), {
    code: 'file',
    message: /none\.zip: expected a zip archive, got no such file/,
  });
  await assert.rejects(readZipEntry(place, 'a'), { code: 'file', message: /got a folder/ });
});

test('a file in the way of a folder is named', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'a'), '');
  await assert.rejects(
    unpackZip(fileOf(zipOf({ name: 'a/b', content })), folder, { isWanted }),
    (error: IloraError) => error.code === 'file' && error.message.startsWith(join(folder, 'a/b')),
  );
});

test('a stop ends it, also in the middle of an entry', async () => {
  const large = Buffer.alloc(64 << 20);
  const path = fileOf(
    zipOf({ name: 'a', content, method: 0 }, { name: 'b', content: large, method: 0 }),
  );
  const controller = new AbortController();
  const options = { isWanted, signal: controller.signal };
  const folder = newFolder();
  const unpacking = unpackZip(path, folder, options);
  const rejected = assert.rejects(unpacking, { code: 'aborted' });
  while (!existsSync(join(folder, 'b'))) await new Promise(setImmediate);
  controller.abort();
  await rejected;
  assert.ok(readFileSync(join(folder, 'b')).length < large.length);
  await assert.rejects(unpackZip(path, folder, options), { code: 'aborted' });
  await assert.rejects(readZipEntry(path, 'b', { signal: controller.signal }), { code: 'aborted' });
});

test('archives of Python are read, of the 64-bit kind too', async (t) => {
  const path = join(place, 'python.zip');
  const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('plain.txt', 'plain ' * 1000)
    archive.writestr('Grüße.txt', 'name')
    with archive.open('wide.txt', 'w', force_zip64=True) as entry: entry.write(b'wide ' * 1000)
`;
  if (spawnSync('python3', ['-c', program, path]).status !== 0) return t.skip('no Python');
  const folder = newFolder();
  const names = await unpackZip(path, folder, { isWanted });
  assert.deepEqual(names, ['plain.txt', 'Grüße.txt', 'wide.txt']);
  assert.equal(readFileSync(join(folder, 'wide.txt'), 'utf8'), 'wide '.repeat(1000));
  assert.equal((await readZipEntry(path, 'Grüße.txt')).toString(), 'name');
});

/** An archive with the end of the 64-bit kind, whose directory is at any place. */
function wideZip(place: bigint, count: bigint): Buffer {
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(count, 32);
  end.writeBigUInt64LE(place, 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeUInt32LE(0x06054b50, 76);
  return end;
}

test('broken archives are typed errors and nothing else', async () => {
  const zip = zipOf({ name: 'a', content }, { name: 'b', content, method: 0 });
  const path = join(place, 'broken.zip');
  const folder = newFolder();
  const isTyped = async (bytes: Buffer): Promise<void> => {
    writeFileSync(path, bytes);
    for (const work of [
      () => readZipEntry(path, 'b'),
      () => unpackZip(path, folder, { isWanted: (name) => name === 'a' }),
    ])
      await work().catch((error: unknown) => {
        assert.ok(error instanceof IloraError && error.code === 'format', String(error));
      });
  };
  for (let length = 0; length < zip.length; length += 7) await isTyped(zip.subarray(0, length));
  for (const at of [0n, 97n, 98n, 1n << 40n, 1n << 53n, (1n << 64n) - 1n])
    for (const count of [1n, (1n << 64n) - 1n]) await isTyped(wideZip(at, count));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(zip.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      async (changes) => {
        const broken = Buffer.from(zip);
        for (const [at, value] of changes) broken[at] = value;
        await isTyped(broken);
      },
    ),
    { numRuns: 300 },
  );
});

const isLinux = existsSync('/proc/self/fd');

test('no archive stays open', { skip: !isLinux, timeout: 10_000 }, async () => {
  const open = (): string[] =>
    readdirSync('/proc/self/fd').flatMap((name) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${name}`);
        return target.startsWith(place) ? [target] : [];
      } catch {
        return []; // the one that lists them
      }
    });
  while (open().length > 0) await new Promise((wake) => setTimeout(wake, 5)); // closed in passing
});
