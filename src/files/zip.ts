/**
 * Reads zip archives, of which Python's wheels are a kind: one entry into memory, or some into a folder.
 *
 * yauzl reads them piece by piece and refuses names that lead out of the folder. Links, encrypted entries
 * and wrong checksums are refused here.
 */
import { close as closeFile, closeSync, readSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { AbortError, IloraError, mismatch } from '../errors/index.js';
import { fileError } from './file-error.js';
import { openRegular } from './regular-file.js';

/**
 * Content of one entry.
 *
 * @param maxBytes  refuse entries that unpack to more
 * @throws IloraError `format` if the archive is broken or has no such entry, `file` if it cannot be
 *   read; AbortError when stopped
 */
export async function readZipEntry(
  path: string,
  name: string,
  { maxBytes = 64 << 20, signal }: { maxBytes?: number; signal?: AbortSignal } = {},
): Promise<Buffer> {
  for await (const { entry, content } of entriesOf(path, signal)) {
    if (entry.fileName !== name) continue;
    if (entry.uncompressedSize > maxBytes)
      throw mismatch('format', {
        where: `${path}:${name}`,
        expected: `an entry of at most ${maxBytes} bytes`,
        got: new Error(`${entry.uncompressedSize} bytes`),
      });
    const blocks: Buffer[] = [];
    for await (const block of content()) blocks.push(block);
    return Buffer.concat(blocks);
  }
  throw mismatch('format', { where: path, expected: `an entry "${name}"`, got: undefined });
}

/**
 * Unpacks entries into a folder, under their names.
 *
 * @param isWanted  tells by its name whether an entry is unpacked
 * @returns names of the files that were written
 * @throws IloraError `format` if the archive is broken, or if a name or a link leads out of the folder,
 *   `file` if the system refuses; AbortError when stopped. What was written before stays
 */
export async function unpackZip(
  path: string,
  folder: string,
  { isWanted, signal }: { isWanted: (name: string) => boolean; signal?: AbortSignal },
): Promise<string[]> {
  const names: string[] = [];
  for await (const { entry, content } of entriesOf(path, signal)) {
    const name = entry.fileName;
    if (name.endsWith('/') || !isWanted(name)) continue;
    const target = join(folder, name);
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content());
    } catch (error) {
      throw fileError(target, 'a file that can be written', error);
    }
    names.push(name);
  }
  return names;
}

interface OpenEntry {
  entry: Entry;
  content: () => AsyncGenerator<Buffer>;
}

/** The entries of an archive; whatever is wrong with it becomes an error that names it. */
async function* entriesOf(path: string, signal?: AbortSignal): AsyncGenerator<OpenEntry> {
  const zip = await openZip(path);
  const entries = zip.eachEntry();
  try {
    for (;;) {
      if (signal?.aborted) throw new AbortError();
      const next = await entries.next().catch((error: unknown) => {
        throw explain(path, error);
      });
      if (next.done) return;
      const entry = next.value;
      yield { entry, content: () => contentOf(zip, entry, { path, signal }) };
    }
  } finally {
    zip.close();
  }
}

async function openZip(path: string): Promise<ZipFile> {
  const { file, size } = openRegular(path, { expected: 'a zip archive' });
  try {
    return await fromRandomAccessReaderPromise(new FileReader(file, size), size);
  } catch (error) {
    closeSync(file);
    throw explain(path, error);
  }
}

/** The bytes of an entry, checked on the way. */
async function* contentOf(
  zip: ZipFile,
  entry: Entry,
  { path, signal }: { path: string; signal: AbortSignal | undefined },
): AsyncGenerator<Buffer> {
  try {
    refuseOddKinds(entry, path);
    let sum = 0;
    for await (const block of await zip.openReadStreamPromise(entry)) {
      if (signal?.aborted) throw new AbortError();
      sum = crc32(block as Buffer, sum);
      yield block as Buffer;
    }
    if (sum !== entry.crc32) throw new Error(`another checksum of ${entry.fileName}`);
  } catch (error) {
    throw explain(path, error);
  }
}

/** Kinds of entries in the upper half of their attributes, as Unix numbers them. */
const KIND = 0o170000;
const REGULAR = 0o100000;

function refuseOddKinds(entry: Entry, path: string): void {
  const { fileName, externalFileAttributes, compressionMethod } = entry;
  const where = `${path}:${fileName}`;
  const kind = (externalFileAttributes >>> 16) & KIND;
  if ((kind !== 0 && kind !== REGULAR) || fileName.includes('\0'))
    throw mismatch('format', {
      where,
      expected: 'a plain file',
      got: new Error(kind === 0o120000 ? 'a symbolic link' : 'something else'),
    });
  if (!entry.canDecodeFileData())
    throw mismatch('format', {
      where,
      expected: 'a stored or deflated entry',
      got: new Error(entry.isEncrypted() ? 'an encrypted one' : `method ${compressionMethod}`),
    });
}

function explain(path: string, error: unknown): Error {
  if (error instanceof IloraError) return error;
  if ((error as NodeJS.ErrnoException).syscall !== undefined)
    return fileError(path, 'a zip archive that can be read', error);
  return mismatch('format', { where: path, expected: 'a whole zip archive', got: error }, error);
}

/** How much is read at once of an entry. */
const BLOCK_BYTES = 1 << 20;

/**
 * How yauzl reads the file. Its own way throws beyond its callers where a broken directory names no
 * place, and streams of Node close the file when they end.
 */
class FileReader extends RandomAccessReader {
  constructor(
    private readonly file: number,
    private readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, read?: number) => void,
  ): void {
    try {
      const isInside = position + length <= this.size;
      const read = isInside ? readSync(this.file, buffer, offset, length, position) : 0;
      setImmediate(callback, null, read);
    } catch (error) {
      setImmediate(callback, error as Error);
    }
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(blocksOf(this.file, start, end), { objectMode: false });
  }

  override close(callback: (error: Error | null) => void): void {
    closeFile(this.file, () => callback(null)); // nothing was written
  }
}

function* blocksOf(file: number, start: number, end: number): Generator<Buffer> {
  for (let at = start, read = -1; at < end && read !== 0; at += read) {
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, end - at));
    read = readSync(file, block, 0, block.length, at);
    yield block.subarray(0, read);
  }
}
