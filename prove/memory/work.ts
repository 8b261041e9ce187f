/**
 * Child process of prove/memory.ts: trains or recommends for a while and says what it held meanwhile.
 *
 * Argument: one JSON document `Work`. Answer: one line of JSON, a `Course`.
 */
import { readFileSync } from 'node:fs';
import { openDataset } from '../../src/data/index.js';
import { liveTensors, Tensor } from '../../src/tensor/index.js';
import { openRun, resolveSettings, trainRun } from '../../src/training/index.js';
import { score } from '../resume/score.js';
import { type Course, courseOf, type Sample, sample, settle, warmUpOf } from './samples.js';

export interface Work {
  /** `nothing` is for a control: what it leaks is all it does. */
  kind: 'train' | 'recommend' | 'nothing';
  /** Settings to train by, as a user writes them. */
  settings: Record<string, unknown>;
  base: string;
  iterations: number;
  /** Tensors kept alive per iteration, to see that growth is noticed; 0 for the real thing. */
  leakedBytes: number;
}

const work = JSON.parse(readFileSync(0, 'utf8')) as Work;
const every = Math.max(4, Math.floor((work.iterations - warmUpOf(work.iterations)) / 40));
const leaked: Tensor[] = [];
const samples: Sample[] = [];

/** After iteration `done`, from 1. */
function tick(done: number): void {
  if (work.leakedBytes > 0) leaked.push(Tensor.from(new Uint8Array(work.leakedBytes).fill(1)));
  if (done % every === 0) samples.push(sample(done));
}

async function train(): Promise<void> {
  const settings = resolveSettings(work.settings, 'prove');
  await trainRun(
    settings,
    { shared: { dataset: await openDataset(settings.data) }, basePath: work.base },
    {
      score,
      onStep: ({ step, totalSteps }) => {
        if (totalSteps === work.iterations) tick(step); // not those of the SASRec trained first
      },
    },
  );
}

async function recommend(): Promise<void> {
  const { out } = resolveSettings(work.settings, 'prove');
  const { model, dataset } = await openRun(out, { basePath: work.base });
  const { recommender, generator } = model;
  if (generator === undefined) throw new Error('internal: expected a run that generates');
  const rows = dataset.rows('test');
  for (let i = 0; i < work.iterations; i++) {
    const instance = dataset.instance('test', i % rows);
    const [ranking] = await recommender.score([instance]);
    if (ranking?.scores.length !== instance.candidates.length) throw new Error('internal: scores');
    await generator.generate([instance]);
    tick(i + 1);
  }
}

Tensor.from([0]).dispose(); // loads the engine
await settle();
const liveBefore = liveTensors();
const started = performance.now();
if (work.kind === 'train') await train();
else if (work.kind === 'recommend') await recommend();
else for (let i = 0; i < work.iterations; i++) tick(i + 1);
const seconds = (performance.now() - started) / 1000;
await settle();
const course: Course = courseOf(samples, {
  iterations: work.iterations,
  seconds,
  liveBefore,
  liveAfter: liveTensors(),
});
console.log(JSON.stringify(course));
