/** A process of worker.test.ts that uses workers and the engine in many ways, then simply ends. */
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../../src/recommenders/llm/threads/thread.js';
import { engineThreads, Generator, randn, sum, Tensor } from '../../../src/tensor/index.js';

engineThreads(1);
const script = new URL('worker-body.ts', import.meta.url);
const start = (seed: number, steps: number): Worker => startThread(script, { seed, steps });
const ended = (worker: Worker): Promise<number> =>
  new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', resolve);
  });
const codes = await Promise.all([start(1, 5), start(2, 5)].map(ended));
const busy = start(3, 1_000_000);
await new Promise((resolve) => busy.once('online', resolve));
await new Promise((resolve) => setTimeout(resolve, 400));
await busy.terminate(); // in the middle of its work
const kept = Tensor.from([1, 2, 3]); // never disposed
if (codes.some((code) => code !== 0)) throw new Error(`workers ended with ${codes}`);
console.log(sum(kept).item() + randn([2], new Generator(1)).size);
