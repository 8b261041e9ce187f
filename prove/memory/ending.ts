/** Child process of endings.ts: computes, says so, and ends in the way its argument names. */
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../src/recommenders/llm/threads/thread.js';
import {
  engineThreads,
  Generator,
  keep,
  liveTensors,
  matmul,
  randn,
  scope,
  square,
  sum,
  type Tensor,
} from '../../src/tensor/index.js';
import type { WorkerData } from './worker.js';

engineThreads(1);
const WIDTH = 512;
const x = randn([WIDTH, WIDTH], new Generator(1));
const weight = randn([WIDTH, WIDTH], new Generator(2)).setRequiresGrad(true);
const kept: Tensor[] = [];

/** Says that the work has begun, and what the start took: seconds, and seconds of processor time. */
function sayReady(): void {
  const { user, system } = process.cpuUsage();
  console.log(`ready ${performance.now() / 1000} ${(user + system) / 1e6}`);
}

/** One step of work; its graph and gradients are alive while `inside` runs. */
function step(inside: () => void = () => undefined): void {
  weight.setGrad();
  scope(() => {
    const loss = sum(square(matmul(x, weight)));
    loss.backward();
    kept.push(keep(matmul(x, weight)));
    if (kept.length > 5) kept.shift()?.dispose();
    inside();
  });
}

/** Works for ever, one step per turn of the event loop; `then` runs inside the step in which it is due. */
function work(then?: () => void): void {
  let turns = 0;
  const turn = (): void => {
    turns++;
    step(turns === 8 ? then : undefined);
    if (turns === 5) sayReady();
    setImmediate(turn);
  };
  turn();
}

const script = new URL('worker.ts', import.meta.url);

/** Workers that have begun to compute. */
function busyWorkers(count: number, data: Partial<WorkerData> = {}): Promise<Worker[]> {
  const wanted: WorkerData = { products: Number.POSITIVE_INFINITY, width: 1024, ...data };
  return Promise.all(
    Array.from({ length: count }, async () => {
      const worker = startThread(script, wanted);
      await new Promise((resolve) => worker.once('message', resolve));
      return worker;
    }),
  );
}

const exitOf = (worker: Worker): Promise<number> =>
  new Promise((resolve) => worker.once('exit', resolve));

const WAYS: Record<string, () => unknown> = {
  'ended by a signal': () => work(),
  'a handler of a signal exits': () => {
    process.on('SIGTERM', () => step(() => process.exit(7)));
    work();
  },
  'process.exit in a callback': () => work(() => process.exit(7)),
  'an exception in a callback': () =>
    work(() => {
      throw new Error('thrown in a callback');
    }),
  'a rejection nobody handles': () =>
    work(() => {
      void scope(async () => {
        await Promise.resolve();
        matmul(x, weight);
        throw new Error('rejected');
      });
    }),
  'the end with tensors alive': () => {
    for (let i = 0; i < 5; i++) step();
    sayReady();
    if (liveTensors() < 5) throw new Error('internal: nothing is alive');
  },
  'workers are terminated in a call': async () => {
    const workers = await busyWorkers(3);
    sayReady();
    const codes = await Promise.all(workers.map((worker) => worker.terminate()));
    if (codes.some((code) => code !== 1)) throw new Error(`workers ended with ${codes}`);
  },
  'process.exit beside busy workers': async () => {
    await busyWorkers(3);
    sayReady();
    process.exit(7);
  },
  'a signal beside busy workers': async () => {
    await busyWorkers(3);
    sayReady();
  },
  'process.exit in a worker': async () => {
    const [worker] = await busyWorkers(1, { end: 'exit' });
    sayReady();
    (worker as Worker).postMessage('end');
    const code = await exitOf(worker as Worker);
    if (code !== 5) throw new Error(`the worker ended with ${code}`);
  },
  'an exception in a worker': async () => {
    const [worker] = await busyWorkers(1, { end: 'throw' });
    sayReady();
    (worker as Worker).postMessage('end');
    await exitOf(worker as Worker); // nobody listens to its error: the process ends with it
  },
};

await WAYS[process.argv[2] as string]?.();
