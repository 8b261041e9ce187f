/**
 * Builds the shim and speaks to it: cases in forked processes that end at a chosen file operation.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export type FaultMode = 'none' | 'kill' | 'torn' | 'full' | 'broken';

/** How a forked process ended. */
export interface FaultEnd {
  how: 'signal' | 'exit';
  /** Number of the signal, or exit code. */
  code: number;
  /** A letter per file operation: c create, o open, w write, s sync, t truncate, r rename, m mkdir, u unlink. */
  operations: string;
}

/** Names of the kinds, for the record. */
export const KINDS: Record<string, string> = {
  c: 'create',
  o: 'open',
  w: 'write',
  s: 'sync',
  t: 'truncate',
  r: 'rename',
  m: 'mkdir',
  u: 'unlink',
};

/** Compiles the shim. @returns its path */
export function buildShim(folder: string): string {
  const library = join(folder, 'shim.so');
  const source = join(import.meta.dirname, 'shim.c');
  execFileSync('cc', ['-O1', '-fPIC', '-shared', '-o', library, source, '-ldl'], {
    stdio: 'inherit',
  });
  return library;
}

/**
 * Runs `body` in a forked process whose file operation `at` ends as `mode` says. Only where the shim is
 * preloaded.
 *
 * @param body its number becomes the exit code
 */
export function inFork(
  mode: FaultMode,
  at: number,
  body: () => Promise<number>,
): Promise<FaultEnd> {
  let file: number;
  try {
    file = openSync(`/shim/fork/${mode}/${at}`, 'r');
  } catch {
    // This is the child. It never returns.
    Object.defineProperty(process, 'pid', { value: Number(readlinkSync('/proc/self')) });
    return body().then(leave, (error: unknown) => {
      process.stderr.write(`${(error as Error).stack ?? error}\n`);
      leave(70);
      throw error;
    });
  }
  const [how, code, , operations] = readFileSync(file, 'latin1').split(' ');
  closeSync(file);
  return Promise.resolve({
    how: how as FaultEnd['how'],
    code: Number(code),
    operations: operations ?? '',
  });
}

function leave(code: number): never {
  try {
    openSync(`/shim/exit/${code}`, 'r');
  } catch {
    // Only without the shim.
  }
  throw new Error('the shim is not preloaded');
}
