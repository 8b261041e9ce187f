/**
 * Runs another program for the user to watch, and stops it when the user stops us.
 */
import { spawn } from 'node:child_process';
import { AbortError, IloraError } from '../errors/index.js';

/** Options of {@link runProgram}. */
export interface RunOptions {
  signal: AbortSignal;
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  /** What to do when it fails. */
  hint?: string;
}

/**
 * Runs a program with all it says on stderr; resolves when it has ended well.
 *
 * @throws IloraError `setup` if it ends otherwise; AbortError after it has ended on `signal`
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { signal, env, hint = 'its words above say why' }: RunOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new AbortError());
    const child = spawn(program, args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...env },
    });
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    const finish = (problem: string | undefined): void => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(new AbortError());
      else if (problem === undefined) resolve();
      else reject(new IloraError('setup', `ilora setup: ${problem} — ${hint}`));
    };
    const name = [program, ...args.slice(0, 3)].join(' ');
    child.on('error', (error) => finish(`${name} does not start: ${error.message}`));
    child.on('exit', (code, killer) =>
      finish(code === 0 ? undefined : `${name} ended with ${code ?? killer}`),
    );
  });
}
