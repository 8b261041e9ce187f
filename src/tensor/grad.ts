/**
 * Gradient mode of the current thread.
 */
import { mismatch } from '../errors/index.js';
import { native } from './native.js';

/** Runs `body` (synchronous) without recording gradients. */
export function noGrad<T>(body: () => T): T {
  if (typeof body !== 'function')
    throw mismatch('engine', { where: 'noGrad(body)', expected: 'a function', got: body });
  const before = native().setGradMode(false);
  try {
    return body();
  } finally {
    native().setGradMode(before);
  }
}

/** OpenMP ends the process when it cannot start as many threads as it was told. */
const MOST_THREADS = 1024;

/** Number of threads libtorch uses inside an operator; sets it when given. @throws IloraError `engine` */
export function engineThreads(count?: number): number {
  if (count !== undefined && !(Number.isInteger(count) && count > 0 && count <= MOST_THREADS)) {
    throw mismatch('engine', {
      where: 'engineThreads(count)',
      expected: `a whole number from 1 to ${MOST_THREADS}`,
      got: count,
    });
  }
  return native().threads(count);
}
