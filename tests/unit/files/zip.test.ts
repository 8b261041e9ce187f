import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { IloraError } from '../../../src/errors/index.js';
import { readZipEntry } from '../../../src/files/zip.js';

/** A zip archive of one entry. */
function zipOf(name: string, content: Buffer, method: 0 | 8): Buffer {
  const stored = method === 8 ? deflateRawSync(content) : content;
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(stored.length, 20);
  entry.writeUInt32LE(content.length, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + stored.length, 16);
  return Buffer.concat([local, Buffer.from(name), stored, entry, Buffer.from(name), end]);
}

const content = Buffer.from('titles and ratings '.repeat(50));

test('stored and deflated entries are read', () => {
  for (const method of [0, 8] as const)
    assert.deepEqual(readZipEntry(zipOf('a/b.txt', content, method), 'a/b.txt', 'x.zip'), content);
});

test('a missing or too large entry is named', () => {
  const zip = zipOf('a', content, 8);
  assert.throws(() => readZipEntry(zip, 'b', 'x.zip'), /x\.zip: expected an entry "b", got "none"/);
  assert.throws(() => readZipEntry(zip, 'a', 'x.zip', 10), /at most 10 bytes/);
});

test('broken archives are typed errors and nothing else', () => {
  const zip = zipOf('a', content, 8);
  const isTyped = (bytes: Buffer): void => {
    try {
      readZipEntry(bytes, 'a', 'x.zip');
    } catch (error) {
      assert.ok(error instanceof IloraError, String(error));
    }
  };
  for (let length = 0; length < zip.length; length++) isTyped(zip.subarray(0, length));
  fc.assert(
    fc.property(fc.nat(zip.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const broken = Buffer.from(zip);
      broken[at] = value;
      isTyped(broken);
    }),
  );
});
