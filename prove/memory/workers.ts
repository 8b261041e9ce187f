/**
 * Child process of prove/memory.ts: makes workers that compute and end, one after another and several at a
 * time, and says what the process held meanwhile. The matrices of a worker that are never disposed go with it.
 */
import { round } from '../../harness/statistics.js';
import { startThread } from '../../src/recommenders/llm/threads/thread.js';
import { engineThreads, liveTensors, Tensor } from '../../src/tensor/index.js';
import { type Sample, sample, settle } from './samples.js';
import type { WorkerData } from './worker.js';

export interface WorkersAsked {
  workers: number;
  atOnce: number;
}

export interface WorkersCourse extends WorkersAsked {
  seconds: number;
  exitedWith0: number;
  /** Different answers; all compute the same. */
  answers: number;
  /** The least resident memory after a round, in the first and second half of all but the first fifth. */
  earlyMb: number;
  lateMb: number;
  liveBefore: number;
  liveAfter: number;
}

const { workers, atOnce } = JSON.parse(process.argv[2] as string) as WorkersAsked;
const script = new URL('worker.ts', import.meta.url);
const answers = new Set<number>();
let exitedWith0 = 0;

async function run(): Promise<void> {
  const data: WorkerData = { products: 3, width: 256 };
  const worker = startThread(script, data);
  let answer: number | undefined;
  worker.on('message', (message) => {
    if (typeof message === 'number') answer = message;
  });
  const code = await new Promise<number>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', resolve);
  });
  if (code === 0) exitedWith0++;
  if (answer !== undefined) answers.add(answer);
}

engineThreads(1);
Tensor.from([0]).dispose(); // loads the engine
await settle();
const liveBefore = liveTensors();
const started = performance.now();
const samples: Sample[] = [];
for (let done = 0; done < workers; done += atOnce) {
  await Promise.all(Array.from({ length: Math.min(atOnce, workers - done) }, run));
  await settle();
  samples.push(sample(done));
}
const seconds = Math.round((performance.now() - started) / 100) / 10;
// An allocator keeps what threads gave back and takes it up again; the least of several rounds is
// what is really held.
const steady = samples.slice(Math.floor(samples.length / 5));
const half = Math.ceil(steady.length / 2);
const least = (part: readonly Sample[]): number =>
  round(Math.min(...part.map(({ rssMb }) => rssMb)), 2);
const course: WorkersCourse = {
  workers,
  atOnce,
  seconds,
  exitedWith0,
  answers: answers.size,
  earlyMb: least(steady.slice(0, half)),
  lateMb: least(steady.slice(-half)),
  liveBefore,
  liveAfter: liveTensors(),
};
console.log(JSON.stringify(course));
