/**
 * How programs are started: in the environment of our launcher, whoever they are.
 */
import { availableParallelism } from 'node:os';
import { engineAdditions } from '../bin/environment.js';

/**
 * Everybody computes in the launcher's environment: the allocator and the threads' way of waiting that make `ilora`
 * fast help the peers as well.
 */
export function environment({ threads = availableParallelism() } = {}): NodeJS.ProcessEnv {
  return { ...engineAdditions(), ...process.env, OMP_NUM_THREADS: String(threads) };
}

/** Arguments of Node for one of our TypeScript programs. */
export function program(path: string, ...args: string[]): string[] {
  return ['--import', 'tsx', path, ...args];
}
