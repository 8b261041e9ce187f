/**
 * The hash of a file, block by block: weights may be larger than one read can take.
 */
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { AbortError } from '../errors/index.js';
import { fileError } from './file-error.js';
import { openRegular, streamRegular } from './regular-file.js';

const BLOCK_BYTES = 1 << 22;

/**
 * sha256 of a file's bytes.
 *
 * @param change  may change a block before it enters the hash; the file stays as it is
 * @throws IloraError `file`
 */
export function hashFile(
  path: string,
  change: (block: Buffer, position: number) => void = () => undefined,
): string {
  const hash = createHash('sha256');
  const block = Buffer.alloc(BLOCK_BYTES);
  const { file } = openRegular(path);
  try {
    let position = 0;
    for (let read = readSync(file, block); read > 0; read = readSync(file, block)) {
      const part = block.subarray(0, read);
      change(part, position);
      hash.update(part);
      position += read;
    }
  } catch (error) {
    throw fileError(path, 'a readable file', error);
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

/** The same for a large file while others go on. @throws IloraError `file`; AbortError when stopped */
export async function hashFileAsync(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const block of streamRegular(path, { highWaterMark: BLOCK_BYTES })) {
      if (signal?.aborted) throw new AbortError();
      hash.update(block as Buffer);
    }
  } catch (error) {
    throw fileError(path, 'a readable file', error);
  }
  return hash.digest('hex');
}
