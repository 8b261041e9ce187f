/**
 * Folders that a killed process left behind, told by the process id in their names.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from './process.js';

/**
 * Removes entries of a folder whose process has ended.
 *
 * @param pattern  matches their names; its first group is the process id
 */
export async function removeAbandoned(folder: string, pattern: RegExp): Promise<void> {
  // Another process may be at it, or it belongs to another user: then it is left alone.
  for (const name of await findAbandoned(folder, pattern))
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
}

/** Names of such entries. */
export async function findAbandoned(folder: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => {
    const pid = pattern.exec(name)?.[1];
    return pid !== undefined && !isRunning(Number(pid));
  });
}
