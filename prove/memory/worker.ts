/** A worker of workers.ts and endings.ts: multiplies matrices, then says so, or goes on until it is ended. */
import { once } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { engineThreads, Generator, matmul, randn, scope, sum } from '../../src/tensor/index.js';

export interface WorkerData {
  /** Products to compute; Infinity: until it is ended. */
  products: number;
  width: number;
  /** What happens after the first product in place of the rest, on the next message. */
  end?: 'exit' | 'throw';
}

const { products, width, end } = workerData as WorkerData;
engineThreads(1);
const x = randn([width, width], new Generator(1));
const y = randn([width, width], new Generator(2));
let total = 0;
for (let i = 0; i < products; i++) {
  total += scope(() => sum(matmul(x, y)).item());
  if (i > 0) continue;
  parentPort?.postMessage('working');
  // Not before the other side has heard it and says so: an error may overtake a message.
  if (end !== undefined) await once(parentPort as MessagePort, 'message');
  if (end === 'exit') process.exit(5);
  if (end === 'throw') throw new Error('thrown inside a worker');
}
parentPort?.postMessage(total / products);
