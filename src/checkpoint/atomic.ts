/**
 * Files and folders that appear whole or not at all: temp → fsync → rename → fsync of the folder.
 *
 * Everything is synchronous: writers run in the engine's thread, between two steps.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IloraError, mismatch } from '../errors/index.js';

/** What an atomic file is made of: one text, one block of bytes, or blocks written in order. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array>;

/** What the system said, in words, and what the user can do. */
const SYSTEM_ERRORS: Record<string, { got: string; hint?: string }> = {
  ENOENT: { got: 'no such file or folder', hint: 'check the path' },
  EACCES: { got: 'permission denied', hint: 'check owner and mode' },
  EPERM: { got: 'operation not permitted', hint: 'check owner and mode' },
  ENOSPC: { got: 'no space left on the device', hint: 'free some space or choose another folder' },
  EDQUOT: { got: 'disk quota exceeded', hint: 'free some space or choose another folder' },
  EROFS: { got: 'a read-only file system', hint: 'choose another folder' },
  EISDIR: { got: 'a folder' },
  ENOTDIR: { got: 'a path through something that is not a folder' },
  EMFILE: { got: 'too many open files', hint: 'raise the limit (ulimit -n)' },
  EIO: { got: 'an input/output error of the device' },
};

/**
 * Turns an error of `node:fs` into one that names the path and the remedy.
 *
 * @param expected  what the caller wanted, such as `a readable file`
 */
export function fileError(path: string, expected: string, error: unknown): IloraError {
  if (error instanceof IloraError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const known = SYSTEM_ERRORS[code];
  if (known === undefined) return mismatch('file', { where: path, expected, got: error }, error);
  const { got, hint } = known;
  const text = `${path}: expected ${expected}, got ${got} (${code})`;
  return new IloraError(
    'file',
    hint === undefined ? text : `${text} — ${hint}`,
    { where: path, expected, got: code, hint },
    error,
  );
}

/**
 * Writes a file so that a reader, a crash or a full disk never meets half of it.
 *
 * The folder must exist. An existing file is replaced.
 *
 * @throws IloraError of code `file` when the system refuses; nothing is left behind
 */
export function writeFileAtomic(path: string, content: FileContent): void {
  const temporary = temporaryName(path);
  try {
    const file = openSync(temporary, 'wx');
    try {
      for (const block of blocks(content)) writeFully(file, block);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(path, 'a file that can be written', error);
  }
}

/**
 * Fills a folder beside its final place, then moves it there in one step.
 *
 * @param path  must not exist yet: a folder cannot be replaced in one step
 * @param fill  writes the files, at any depth, into the folder it is given
 * @throws IloraError of code `file` when the system refuses; nothing is left behind
 */
export function writeFolderAtomic(path: string, fill: (folder: string) => void): void {
  if (existsSync(path))
    throw mismatch('file', {
      where: path,
      expected: 'a new folder',
      got: 'one that exists',
      hint: 'choose another name or remove it',
    });
  const temporary = temporaryName(path);
  try {
    mkdirSync(temporary);
    fill(temporary);
    syncTree(temporary);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw fileError(path, 'a folder that can be written', error);
  }
}

let serial = 0;

/** A name in the same folder (rename does not cross file systems) that no other writer takes. */
function temporaryName(path: string): string {
  serial += 1;
  return join(dirname(path), `.${basename(path)}.${process.pid}-${serial}.tmp`);
}

function* blocks(content: FileContent): Iterable<Uint8Array> {
  if (typeof content === 'string') yield Buffer.from(content, 'utf8');
  else if (content instanceof Uint8Array) yield content;
  else yield* content;
}

/** One write call takes at most 2 GiB and may take less than it was given. */
function writeFully(file: number, block: Uint8Array): void {
  const maxBytes = 1 << 28;
  let done = 0;
  while (done < block.byteLength)
    done += writeSync(file, block, done, Math.min(maxBytes, block.byteLength - done));
}

function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else syncPath(path);
  }
  syncFolder(folder);
}

/** Makes the names in a folder durable; Windows cannot open folders and needs no such step. */
export function syncFolder(folder: string): void {
  if (process.platform !== 'win32') syncPath(folder);
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
