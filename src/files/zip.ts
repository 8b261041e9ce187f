/**
 * Reads single entries of a zip archive (a Python wheel is one) into memory.
 *
 * Nothing is unpacked to disk, so names of entries cannot point anywhere. Covers stored and deflated
 * entries below 4 GiB; Zip64 and encryption are refused.
 */
import { inflateRawSync } from 'node:zlib';
import { mismatch } from '../errors/index.js';

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
const endSize = 22;

interface Entry {
  method: number;
  flags: number;
  storedSize: number;
  size: number;
  offset: number;
}

/**
 * Content of one entry.
 *
 * @param maxBytes  refuse entries that unpack to more
 * @throws IloraError `format` if the archive is broken or has no such entry
 */
export function readZipEntry(
  zip: Buffer,
  name: string,
  where: string,
  maxBytes = 64 << 20,
): Buffer {
  try {
    const entry = findEntry(zip, name);
    if (entry === undefined)
      throw mismatch('format', { where, expected: `an entry "${name}"`, got: 'none' });
    if (entry.flags & 1 || (entry.method !== 0 && entry.method !== 8) || entry.size > maxBytes)
      throw mismatch('format', {
        where: `${where}:${name}`,
        expected: `a plain or deflated entry of at most ${maxBytes} bytes`,
        got: `method ${entry.method}, flags ${entry.flags}, ${entry.size} bytes`,
      });
    if (zip.readUInt32LE(entry.offset) !== localSignature)
      throw new RangeError('no local header where the directory says');
    const start =
      entry.offset + 30 + zip.readUInt16LE(entry.offset + 26) + zip.readUInt16LE(entry.offset + 28);
    const stored = zip.subarray(start, start + entry.storedSize);
    const bytes =
      entry.method === 0 ? stored : inflateRawSync(stored, { maxOutputLength: entry.size || 1 });
    if (bytes.length !== entry.size)
      throw new RangeError(`${bytes.length} bytes instead of ${entry.size}`);
    return bytes;
  } catch (error) {
    if (error instanceof RangeError || (error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw mismatch('format', { where, expected: 'a zip archive', got: error }, error);
    throw error;
  }
}

function findEntry(zip: Buffer, name: string): Entry | undefined {
  let end = zip.length - endSize;
  while (end >= 0 && zip.readUInt32LE(end) !== endSignature) end--;
  if (end < 0) throw new RangeError('no directory at its end');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (zip.readUInt32LE(at) !== entrySignature) throw new RangeError('a broken directory');
    const nameLength = zip.readUInt16LE(at + 28);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name)
      return {
        flags: zip.readUInt16LE(at + 8),
        method: zip.readUInt16LE(at + 10),
        storedSize: zip.readUInt32LE(at + 20),
        size: zip.readUInt32LE(at + 24),
        offset: zip.readUInt32LE(at + 42),
      };
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return undefined;
}
