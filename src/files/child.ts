/**
 * Runs another program and stops it when the user stops us.
 */
import { spawn } from 'node:child_process';
import { AbortError } from '../errors/index.js';

/** Options of {@link runChild}. */
export interface ChildOptions {
  /** Its whole environment; by default that of this process. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The user watches what it says; otherwise `stderr` holds it. */
  isShown?: boolean;
  signal?: AbortSignal;
}

/** How a program ended. */
export interface ChildEnd {
  /** Its exit code, or the name of the signal that ended it. */
  code: number | string;
  /** What it said there; empty if that was shown. */
  stderr: string;
}

/**
 * Resolves when the program has ended, well or not.
 *
 * @throws the system's error if it does not start; AbortError once it has ended after a stop
 */
export function runChild(
  program: string,
  args: readonly string[],
  { env, isShown = false, signal }: ChildOptions = {},
): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AbortError());
    const child = spawn(program, args, {
      stdio: isShown ? ['ignore', 2, 2] : ['ignore', 'ignore', 'pipe'],
      ...(env && { env }),
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const stop = (): void => void child.kill('SIGTERM');
    signal?.addEventListener('abort', stop);
    const finish = (settle: () => void): void => {
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(new AbortError());
      else settle();
    };
    child.on('error', (error) => finish(() => reject(error)));
    // After a stop nobody waits for what it has started itself.
    child.on('exit', () => signal?.aborted && finish(() => undefined));
    child.on('close', (code, killer) =>
      finish(() => resolve({ code: code ?? killer ?? 'nothing', stderr })),
    );
  });
}
