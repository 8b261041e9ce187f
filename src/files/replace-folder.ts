/** Puts a folder that was made elsewhere in its place. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './atomic.js';

/**
 * Moves `source` to `target` and removes what stood there. All three lie on one file system.
 *
 * @param aside  where the old folder stands meanwhile; only a process that is killed in between leaves it
 */
export async function replaceFolder(target: string, source: string, aside: string): Promise<void> {
  const hadOne = existsSync(target);
  if (hadOne) await rename(target, aside);
  try {
    await rename(source, target);
  } catch (error) {
    if (hadOne) await rename(aside, target);
    throw error;
  }
  syncFolder(dirname(target));
  if (hadOne) await rm(aside, { recursive: true, force: true });
}
