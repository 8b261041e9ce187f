/**
 * A safetensors file that carries its own hash, so that a single changed byte is noticed before use.
 *
 * The header's metadata hold `sha256`: the hash of the whole file with zeros in the hash's own place. It
 * stays an ordinary safetensors file for everyone else. A file without any metadata is taken as it is: runs of
 * earlier versions have none, and no single changed byte turns the one into the other.
 */
import { createHash } from 'node:crypto';
import { mismatch } from '../errors/index.js';
import { hashFile, writeFileAtomic } from '../files/index.js';
import type { Tensor } from '../tensor/index.js';
import { openSafetensors, safetensorsBlocks } from './safetensors.js';
import { loadTensors, storedTensors } from './tensor-file.js';

const NO_HASH = '0'.repeat(64);

/** Writes tensors with their seal, whole or not at all. @returns the hash */
export function saveSealed(path: string, tensors: ReadonlyMap<string, Tensor>): string {
  const blocks = safetensorsBlocks(path, storedTensors(tensors), { sha256: NO_HASH });
  const head = Buffer.from(blocks[0] as Uint8Array);
  const hash = createHash('sha256');
  for (const block of blocks) hash.update(block);
  const digest = hash.digest('hex');
  head.write(digest, head.indexOf(NO_HASH), 'latin1');
  writeFileAtomic(path, [head, ...blocks.slice(1)]);
  return digest;
}

/** Reads the tensors of a file whose seal holds. @throws IloraError `file`, or `format` if a byte was changed */
export function loadSealed(path: string, hint: string): Map<string, Tensor> {
  checkSeal(path, hint);
  return loadTensors(path).tensors;
}

/**
 * @param hint what the user can do where the file is damaged
 * @returns the hash a file is sealed with; undefined for one without metadata
 * @throws IloraError `file`, or `format` if a byte was changed
 */
export function checkSeal(path: string, hint: string): string | undefined {
  let metadata: Readonly<Record<string, string>>;
  let isUnsealed: boolean;
  try {
    const file = openSafetensors(path);
    metadata = file.metadata;
    isUnsealed = Object.keys(metadata).length === 0;
  } catch (error) {
    if ((error as { code?: string }).code !== 'format') throw error;
    const got = (error as Error).message;
    throw mismatch('format', { where: path, expected: 'an undamaged file', got, hint }, error);
  }
  if (isUnsealed) return undefined;
  const sealed = metadata.sha256;
  const got = hashWithout(path, sealed ?? '');
  if (sealed === undefined || got !== sealed)
    throw mismatch('format', {
      where: path,
      expected: `the bytes that were written (sha256 ${(sealed ?? 'of its metadata').slice(0, 12)})`,
      got: `others (${got.slice(0, 12)}): the file was damaged`,
      hint,
    });
  return sealed;
}

/** The hash of a file with zeros in place of a text of its head. */
function hashWithout(path: string, text: string): string {
  return hashFile(path, (block, position) => {
    const at = position === 0 && text !== '' ? block.indexOf(text) : -1;
    if (at >= 0) block.fill('0', at, at + text.length);
  });
}
