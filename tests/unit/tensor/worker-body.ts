/** Runs in a worker of worker.test.ts: trains a line for a while and says how it went. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  engineThreads,
  Generator,
  liveTensors,
  matmul,
  mul,
  randn,
  scope,
  square,
  sub,
  sum,
} from '../../../src/tensor/index.js';

engineThreads(1);
const { seed, steps } = workerData as { seed: number; steps: number };
const generator = new Generator(seed);
const input = randn([32, 8], generator);
const weight = randn([8, 1], generator).setRequiresGrad(true);
const target = matmul(input, randn([8, 1], generator));
let loss = Number.NaN;
for (let step = 0; step < steps; step++) {
  loss = scope(() => {
    const error = mul(sum(square(sub(matmul(input, weight), target))), 1 / 32);
    error.backward();
    return error.item();
  });
  weight.setGrad();
}
parentPort?.postMessage({ loss, live: liveTensors() });
