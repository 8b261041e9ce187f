/**
 * Turns of the event loop between two calls into the engine, which block it.
 */

/** Lets timers and signals run between two calls into the engine. @throws AbortError when asked to stop */
export async function turn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
