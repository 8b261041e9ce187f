/**
 * Opens files that someone else made: regular files only, whole texts only up to a bound.
 *
 * A named pipe would keep the process waiting for a writer, and a device such as /dev/zero never ends.
 */
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  type ReadStream,
  readFileSync,
  readSync,
} from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { createGunzip } from 'node:zlib';
import { mismatch } from '../errors/index.js';
import { fileError } from './file-error.js';

/** Most bytes of a file that is read at once. */
const MAX_WHOLE_BYTES = 1 << 28;

/** How a file is opened. */
export interface OpenOptions {
  /** What the caller wants, for messages. */
  expected?: string;
}

/**
 * Opens a regular file for reading; the caller closes it.
 *
 * @throws IloraError of code `file` if there is none, or something else in its place
 */
export function openRegular(
  path: string,
  { expected = 'a readable file' }: OpenOptions = {},
): { file: number; size: number } {
  let file: number;
  try {
    // Without waiting: opening a pipe would otherwise block before its kind can be asked for.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw fileError(path, expected, error);
  }
  try {
    const stat = fstatSync(file);
    if (stat.isFile()) return { file, size: stat.size };
    const got = stat.isDirectory() ? 'a folder' : 'a pipe, socket or device';
    throw mismatch('file', { where: path, expected, got: new Error(got) });
  } catch (error) {
    closeSync(file);
    throw fileError(path, expected, error);
  }
}

/**
 * All bytes of a file.
 *
 * @throws IloraError of code `file` if it cannot be read, `format` if it is too long
 */
export function readBytes(
  path: string,
  { expected, maxBytes = MAX_WHOLE_BYTES }: OpenOptions & { maxBytes?: number } = {},
): Buffer {
  const { file, size } = openRegular(path, { expected });
  try {
    if (size > maxBytes)
      throw mismatch('format', { where: path, expected: `at most ${maxBytes} bytes`, got: size });
    return readFileSync(file);
  } catch (error) {
    throw fileError(path, expected ?? 'a readable file', error);
  } finally {
    closeSync(file);
  }
}

/**
 * The text of a UTF-8 file, without a byte order mark.
 *
 * @throws IloraError of code `file` if it cannot be read, `format` if it is too long or no UTF-8
 */
export function readText(path: string, options: OpenOptions & { maxBytes?: number } = {}): string {
  return decodeUtf8(readBytes(path, options), path);
}

/** The first bytes of a file, fewer where it is shorter. */
export function readStart(path: string, maxBytes: number): Buffer {
  const { file } = openRegular(path);
  const bytes = Buffer.alloc(maxBytes);
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, maxBytes, 0));
  } catch (error) {
    throw fileError(path, 'a readable file', error);
  } finally {
    closeSync(file);
  }
}

/** A stream of a regular file's bytes. @throws IloraError of code `file` at once if it is none */
export function streamRegular(
  path: string,
  options: { highWaterMark?: number; end?: number } = {},
): ReadStream {
  const { file } = openRegular(path);
  return createReadStream(path, { ...options, fd: file, start: 0 });
}

/**
 * As `streamRegular`; a file named `.gz` is unpacked on the way.
 *
 * @throws IloraError of code `file` if it cannot be read, `format` if it is no packed file or one that was cut
 */
export async function* streamUnpacked(
  path: string,
  options: { highWaterMark?: number; end?: number } = {},
): AsyncGenerator<Buffer> {
  const stream: Readable = streamRegular(path, options);
  const unpacked = path.endsWith('.gz') ? createGunzip() : undefined;
  // A plain pipe() would leave the reader waiting when the file fails; who iterates meets the error.
  if (unpacked !== undefined) pipeline(stream, unpacked, () => undefined);
  try {
    for await (const chunk of unpacked ?? stream) yield chunk as Buffer;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw fileError(path, 'a readable file', error);
    throw mismatch('format', { where: path, expected: 'a whole gzip file', got: error }, error);
  } finally {
    stream.destroy();
  }
}

/**
 * Bytes as text.
 *
 * @throws IloraError of code `format` naming the first byte that is no UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const at = firstBadByte(bytes);
    const byte = bytes[at];
    const got = byte === undefined ? 'the end inside a character' : `byte 0x${byte.toString(16)}`;
    throw mismatch(
      'format',
      { where: `${where}: byte ${at}`, expected: 'UTF-8 text', got: new Error(got) },
      error,
    );
  }
}

/** Where valid UTF-8 ends: the longest beginning that can be gone on from, found by halving. */
function firstBadByte(bytes: Uint8Array): number {
  const isFine = (length: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isFine(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
