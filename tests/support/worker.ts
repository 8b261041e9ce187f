/** Worker threads that run TypeScript: tsx does not hook into threads by itself. */
import { Worker } from 'node:worker_threads';

export function startWorker(script: URL, workerData: unknown): Worker {
  const program = `
    import('tsx/esm/api').then(({ register }) => {
      register();
      return import(${JSON.stringify(script.href)});
    });`;
  return new Worker(program, { eval: true, workerData });
}
