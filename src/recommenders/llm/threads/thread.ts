/**
 * Starts a module of this package in a thread of its own, be it built or a source.
 */
import { Worker } from 'node:worker_threads';

/** @param script URL of the module, with the extension of the module that names it */
export function startThread(script: URL, workerData: unknown): Worker {
  if (!script.pathname.endsWith('.ts')) return new Worker(script, { workerData });
  // What reads TypeScript does not hook into threads by itself.
  const program = `
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
      register();
      return import(${JSON.stringify(script.href)});
    });`;
  return new Worker(program, { eval: true, workerData });
}
