/**
 * Gradient mode of the current thread.
 */
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

/** Number of threads libtorch uses inside an operator; sets it when given. */
export function engineThreads(count?: number): number {
  return native().threads(count);
}
