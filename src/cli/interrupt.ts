/**
 * Ctrl-C as an AbortSignal: the first one asks the work to stop and save, the second ends the process.
 */
import { note } from './terminal.js';

/** Runs `body` with a signal that fires on SIGINT or SIGTERM. */
export async function interruptible<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    note('\nstopping ... (once more to stop at once)');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    return await body(controller.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
