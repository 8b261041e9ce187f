/**
 * Gradient mode of the current thread.
 */
import { mismatch } from '../errors/index.js';
import { native } from './native.js';

/** Runs `body` (synchronous) without recording gradients. */
export function noGrad<T>(body: () => T): T {
  const before = native().setGradMode(false);
  try {
    return body();
  } finally {
    native().setGradMode(before);
  }
}

/** Number of threads libtorch uses inside an operator; sets it when given. @throws IloraError `engine` */
export function engineThreads(count?: number): number {
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) {
    throw mismatch('engine', {
      where: 'engineThreads(count)',
      expected: 'a whole number from 1',
      got: count,
    });
  }
  return native().threads(count);
}
