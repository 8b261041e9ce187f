/**
 * Files and folders that appear whole or not at all: temp → fsync → rename → fsync of the folder.
 *
 * Everything is synchronous: writers run in the engine's thread, between two steps.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { mismatch } from '../errors/index.js';
import { fileError } from './file-error.js';

/** What an atomic file is made of: one text, one block of bytes, or blocks written in order. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array>;

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
    discard(temporary);
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
    discard(temporary);
    throw fileError(path, 'a folder that can be written', error);
  }
}

/**
 * Appends to a file: the whole text, or nothing of it.
 *
 * @returns bytes that were appended
 * @throws IloraError of code `file` when the system refuses; what was written of the text is taken back
 */
export function appendAtomic(path: string, text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  try {
    const file = openSync(path, 'a');
    try {
      const before = fstatSync(file).size;
      try {
        writeFully(file, bytes);
      } catch (error) {
        ftruncateSync(file, before);
        throw error;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(path, 'a file that can be appended to', error);
  }
  return bytes.length;
}

/** Makes the content of a file durable. @throws IloraError of code `file` */
export function syncFile(path: string): void {
  try {
    syncPath(path);
  } catch (error) {
    throw fileError(path, 'a file that can be made durable', error);
  }
}

/**
 * Removes what writers left in a folder that were killed half way. Only for who knows that no other
 * process is writing there.
 *
 * @throws IloraError of code `file`
 */
export function removeTemporaries(folder: string): void {
  try {
    for (const name of readdirSync(folder))
      if (TEMPORARY.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  } catch (error) {
    throw fileError(folder, 'a folder that can be tidied', error);
  }
}

const TEMPORARY = /^\..+\.[0-9a-f]{16}\.tmp$/;

/**
 * A name in the same folder, since rename does not cross file systems. It is random, so that no other writer takes it:
 * a killed process may have left one behind, and the next process may get its number.
 */
function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
}

/** Removes a temporary; what keeps it from being removed must not hide why it was given up. */
function discard(temporary: string): void {
  try {
    rmSync(temporary, { recursive: true, force: true });
  } catch {
    // The next owner of the folder removes it.
  }
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
  if (process.platform === 'win32') return;
  try {
    syncPath(folder);
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    // Some file systems have no such step either.
    if (syscall !== 'fsync' || (code !== 'EINVAL' && code !== 'ENOTSUP')) throw error;
  }
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
