/**
 * Ctrl-C as an AbortSignal: the first one asks the work to stop and save, the second ends the process.
 */
import { endProcess } from '../tensor/index.js';
import { note } from './terminal.js';

const SAME_SIGNAL_MS = 300;

/** Runs `body` with a signal that fires on SIGINT or SIGTERM. */
export async function interruptible<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const stop = (): void => {
    if (controller.signal.aborted) {
      // One Ctrl-C can arrive twice: from the terminal and from the launcher.
      if (performance.now() - first > SAME_SIGNAL_MS) endProcess(130);
      return;
    }
    first = performance.now();
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
