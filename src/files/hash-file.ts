/**
 * The hash of a file, block by block: weights may be larger than one read can take.
 */
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { fileError } from './file-error.js';
import { openRegular } from './regular-file.js';

/** sha256 of a file's bytes. @throws IloraError `file` */
export function hashFile(path: string): string {
  const hash = createHash('sha256');
  const block = Buffer.alloc(1 << 20);
  const { file } = openRegular(path);
  try {
    for (let read = readSync(file, block); read > 0; read = readSync(file, block))
      hash.update(block.subarray(0, read));
  } catch (error) {
    throw fileError(path, 'a readable file', error);
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}
