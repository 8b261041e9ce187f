/**
 * Peak memory of one training instance of at least 768 tokens: `long-instance.ts WORK DTYPE on|off`, where the last word
 * says whether activations are recomputed in the backward pass (`training.recomputesActivations`).
 *
 * The instance is a MovieLens window with as many candidates as fill it. Prints one JSON object.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peakBytes } from '../../harness/kernel.js';
import type { Dataset, Instance } from '../../src/data/index.js';
import {
  type LayoutRow,
  LlmLearner,
  rowLength,
  type TitleRows,
} from '../../src/recommenders/index.js';
import { scope } from '../../src/tensor/index.js';
import { WORK_FILE, type Work } from './work.js';
import { openWorld, TOTAL_STEPS } from './world.js';

const LEAST_TOKENS = 768;

const [, , folder = '', dtype = 'float32', recomputes] = process.argv;
const { world: options } = JSON.parse(readFileSync(join(folder, WORK_FILE), 'utf8')) as Work;
const world = await openWorld('ilora', dtype as 'float32' | 'bfloat16', {
  ...options,
  recomputesActivations: recomputes === 'on',
});
const { dataset, learner } = world;

/** The dataset with candidates added to every window, the target's neighbours in the catalog. */
function withCandidates(extra: number): Dataset {
  const instance = (...args: Parameters<Dataset['instance']>): Instance => {
    const own = dataset.instance(...args);
    const more = Array.from(
      { length: extra },
      (_, i) => (own.target + 1 + i) % dataset.catalog.size,
    );
    return { ...own, candidates: [...own.candidates, ...more] };
  };
  return Object.create(dataset, { instance: { value: instance } }) as Dataset;
}

const position = { seed: options.seed, step: 0, totalSteps: TOTAL_STEPS, batch: [0] };
let long = learner;
let tokens = 0;
for (let extra = 0; tokens < LEAST_TOKENS; extra++) {
  long = new LlmLearner(world.recommender, withCandidates(extra), learner.options);
  const { rows } = long.batch([0], position) as TitleRows;
  tokens = rowLength(rows[0] as LayoutRow);
}
const loadPeakBytes = peakBytes();
const loss = scope(() => {
  const total = long.loss([0], position);
  total.backward();
  return total.item();
});
console.log(JSON.stringify({ tokens, loss, loadPeakBytes, peakBytes: peakBytes() }));
