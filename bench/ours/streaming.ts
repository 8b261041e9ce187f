/**
 * Streaming iLoRA by itself: `streaming.ts WORK float32|bfloat16 REQUESTS STEPS [LAYERS]`, and one JSON document comes out.
 *
 * A request asks for the best 20 items of the whole catalog after the ten items of a test row. A returning user was
 * there one item before, and is remembered. Training is the product's own step on chunks of the training sequences.
 * The weights are fresh: speed does not depend on them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataset } from '../../src/data/index.js';
import { Adam } from '../../src/optim/index.js';
import { methodNamed } from '../../src/recommenders/index.js';
import { StreamMemory } from '../../src/recommenders/llm/streaming/stream-memory.js';
import type { StreamingRecommender } from '../../src/recommenders/llm/streaming/streaming-recommender.js';
import { gradientSource } from '../../src/training/gradients/workers.js';
import { resolveSettings, trainingStep } from '../../src/training/index.js';
import { Order } from '../../src/training/order.js';
import { WORK_FILE, type Work } from './work.js';
import { freshEncoder, openWorldBase } from './world.js';

const [, , folder = '', dtype = 'float32', requests = '20', steps = '4', layers] = process.argv;
const { world: options } = JSON.parse(readFileSync(join(folder, WORK_FILE), 'utf8')) as Work;
const dataset = await openDataset(options.data);
const base = openWorldBase(dtype as 'float32' | 'bfloat16', options);
const method = methodNamed('streaming-ilora');
const adapter = layers === undefined ? {} : { adapter: { layers: Number(layers) } };
const input = { method: method.name, data: options.data, out: 'unused', dtype, ...adapter };
const settings = resolveSettings(input, 'benchmark');
const encoder = freshEncoder(settings, dataset);
const build = () => method.build(settings, { dataset, base, encoder });

/** Seconds of a piece of work. */
async function seconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function train() {
  const model = build();
  if (method.learning.kind !== 'gradients') throw new Error('internal: nothing to train');
  const learner = method.learning.learner(model, settings, { dataset, base, encoder });
  const { batchSize } = method.learning.loop(settings, learner, { dataset, base, encoder });
  const optimizer = new Adam(learner.parameterGroups());
  const gradients = await gradientSource(learner, { batchSize });
  const order = new Order(1, learner.examples);
  const times: number[] = [];
  let targets = 0;
  for (let step = 0; step <= Number(steps); step++) {
    const batch = order.batch(step * batchSize, batchSize);
    const position = { seed: 1, step, totalSteps: 1000, batch };
    const how = { gradients, clipNorm: 1, factor: 1 };
    const time = await seconds(() => trainingStep(learner, optimizer, position, how));
    if (step === 0) continue; // the first one warms up
    times.push(time);
    targets += learner.countTargets(batch, position);
  }
  await gradients.close();
  model.release?.();
  return { seconds: times, targets, batchSize };
}

async function serve() {
  const model = build();
  model.freeze();
  const recommender = model.recommender as StreamingRecommender;
  const rows = Array.from({ length: Number(requests) }, (_, row) => dataset.instance('test', row));
  const [one, returning]: [number[], number[]] = [[], []];
  for (const { history } of [...rows.slice(0, 3), ...rows]) {
    const query = { history, count: 20 };
    one.push(await seconds(() => recommender.retrieve([query])));
    const memory = new StreamMemory();
    recommender.retrieveReturning({ ...query, history: history.slice(0, -1) }, memory);
    returning.push(await seconds(() => recommender.retrieveReturning(query, memory)));
    memory.dispose();
  }
  const isMeasured = (_: number, i: number): boolean => i >= 3;
  return { one: one.filter(isMeasured), returning: returning.filter(isMeasured) };
}

const training = await train();
const used = (settings as unknown as { adapter: { layers: number } }).adapter.layers;
console.log(JSON.stringify({ layers: used, training, ...(await serve()) }));
process.exit(); // threads of the training may still be there
