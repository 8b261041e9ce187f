/**
 * Runs a program of the system for the user to watch.
 */
import { IloraError } from '../errors/index.js';
import { runChild } from '../files/index.js';

/** Options of {@link runProgram}. */
export interface RunOptions {
  signal: AbortSignal;
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Runs a program with all it says on stderr; resolves when it has ended well.
 *
 * @throws IloraError `setup` if it ends otherwise; AbortError after it has ended on `signal`
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { signal, env }: RunOptions,
): Promise<void> {
  const failure = (problem: string, cause?: unknown): IloraError => {
    const name = [program, ...args.slice(0, 3)].join(' ');
    return new IloraError('setup', `ilora setup: ${name} ${problem}`, {}, cause);
  };
  const options = { isShown: true, signal, env: { ...process.env, ...env } };
  const { code } = await runChild(program, args, options).catch((error: unknown) => {
    if (error instanceof IloraError) throw error;
    throw failure(`does not start: ${(error as Error).message}`, error);
  });
  if (code !== 0) throw failure(`ended with ${code} — its words above say why`);
}
