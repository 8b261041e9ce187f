/** Where and from what a figure comes: the machine, the versions, the commit, the date. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { engineInfo, processorName } from '../src/tensor/index.js';

/** The root of the repository. */
export const ROOT = resolve(import.meta.dirname, '..');

export function place(): Record<string, string> {
  return {
    machine: processorName(),
    node: process.version,
    libtorch: engineInfo().libtorch.version,
    commit: commit('--short'),
    date: new Date().toISOString(),
  };
}

/** The commit that is checked out, and whether files differ from it. */
export function commit(...form: '--short'[]): string {
  try {
    const git = (...words: string[]): string =>
      execFileSync('git', ['-C', ROOT, ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const isClean = git('status', '--porcelain', '--untracked-files=no') === '';
    return `${git('rev-parse', ...form, 'HEAD')}${isClean ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}
