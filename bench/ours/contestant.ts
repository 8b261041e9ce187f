/**
 * `ilora` as a contestant: `contestant.ts WORK ilora|lora float32|bfloat16 [WORKERS]`, then one task per line.
 *
 * Training is the product's own `train`, of which a step is let through at a time: it waits in its validation.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { forgetPeak, peakBytes } from '../../harness/kernel.js';
import type { Instance } from '../../src/data/index.js';
import {
  LlmLearner,
  layOut,
  PromptMemory,
  type TitleRows,
  type TrainingPosition,
} from '../../src/recommenders/index.js';
import {
  type DType,
  engineInfo,
  expand,
  narrow,
  neg,
  noGrad,
  scope,
  sum,
  type Tensor,
} from '../../src/tensor/index.js';
import { gradientSource } from '../../src/training/gradients/workers.js';
import { RunFolder, train } from '../../src/training/index.js';
import { Order } from '../../src/training/order.js';
import { productSpeed, synchronize } from './product-speed.js';
import { WORK_FILE, type Work } from './work.js';
import { type Kind, openWorld, TOTAL_STEPS } from './world.js';

const [, , folder = '', kind = 'ilora', dtype = 'float32', wantedWorkers] = process.argv;
const { world: options } = JSON.parse(readFileSync(join(folder, WORK_FILE), 'utf8')) as Work;
const world = await openWorld(kind as Kind, dtype as 'float32' | 'bfloat16', options);
const { recommender, dataset, settings } = world;
const { device } = world.base.model;

/** Notes when the trainer begins a step. */
class TimedLearner extends LlmLearner {
  began = 0;
  override countTargets(examples: readonly number[], position: TrainingPosition): number {
    this.began = performance.now();
    return super.countTargets(examples, position);
  }
}

const learner = new TimedLearner(recommender, dataset, world.learner.options);
let step = 0;
let lastStep = { seconds: 0, loss: 0 };
/** Lets the trainer make its next step. */
let release: (() => void) | undefined;
let stepDone: () => void = () => undefined;

/** One step of the trainer; steps come in their order. */
async function trainStep(batch: number): Promise<Record<string, number>> {
  if (batch !== step) throw new Error(`expected batch ${step}, got ${batch}`);
  const done = new Promise<void>((resolve) => {
    stepDone = resolve;
  });
  if (release === undefined) startTraining().catch(fail);
  else release();
  await done;
  step++;
  return lastStep;
}

async function startTraining(): Promise<void> {
  const path = join(folder, `run-${kind}-${wantedWorkers ?? ''}`);
  mkdirSync(path);
  const run = new RunFolder(path);
  run.prepare(false);
  const { batchSize } = options;
  const trainerOptions = {
    ...settings.training,
    seed: options.seed,
    totalExamples: TOTAL_STEPS * batchSize,
    validateEvery: batchSize,
    checkpointSeconds: 1e9,
  };
  const workers = wantedWorkers === undefined ? settings.training.workers : Number(wantedWorkers);
  const gradients = await gradientSource(learner, { batchSize, workers });
  await train(learner, run, trainerOptions, {
    gradients,
    onStep: ({ loss }) => {
      synchronize(device);
      lastStep = { seconds: (performance.now() - learner.began) / 1000, loss };
    },
    validate: async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
        stepDone();
      });
      return { score: -step, metrics: {} };
    },
  });
}

/** Mean loss of a batch without dropout and the norm of its gradient over all that is trained. */
function loss(batch: number, hasGradient: boolean): Record<string, unknown> {
  const { seed, batchSize } = options;
  const examples = new Order(seed, learner.examples).batch(batch * batchSize, batchSize);
  const position = { seed, step: batch, totalSteps: TOTAL_STEPS, batch: examples };
  const targets = learner.countTargets(examples, position);
  const parameters = [...learner.parameterGroups()].flatMap((group) => [
    ...group.parameters.values(),
  ]);
  let total = 0;
  for (const part of learner.cut(examples, position))
    scope(() => {
      const { rows, histories } = learner.batch(part, position) as TitleRows;
      const { logProbabilities_X } = recommender.model.logProbabilities(layOut(rows), histories);
      const partLoss = neg(sum(logProbabilities_X));
      total += partLoss.item() / targets;
      partLoss.backward();
    });
  const gradient = parameters.map((parameter) =>
    scope(() => parameter.grad?.toNumbers().map((x) => x / targets) ?? []),
  );
  for (const parameter of parameters) parameter.setGrad();
  let squares = 0;
  for (const values of gradient) for (const x of values) squares += x * x;
  const found = { loss: total, gradientNorm: Math.sqrt(squares) };
  return hasGradient ? { ...found, gradient: gradient.flat() } : found;
}

const instances = (rows: readonly number[]): Instance[] =>
  rows.map((row) => dataset.instance('test', row));

async function rank(rows: readonly number[]): Promise<Record<string, unknown>> {
  const asked = instances(rows);
  const start = performance.now();
  const rankings = await recommender.score(asked);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, scores: rankings.map(({ scores }) => scores) };
}

async function generate(rows: readonly number[], maxNewTokens: number) {
  const start = performance.now();
  const answers = await recommender.generate(instances(rows), { maxNewTokens });
  return { seconds: (performance.now() - start) / 1000, answers };
}

/** Users who were here before with one title less: the later visit, with what is remembered of the earlier. */
function returning(rows: readonly number[]): Record<string, unknown> {
  const seconds: number[] = [];
  let knownTokens = 0;
  let tokens = 0;
  for (const instance of instances(rows)) {
    const memory = new PromptMemory();
    recommender.scoreReturning({ ...instance, history: instance.history.slice(0, -1) }, memory);
    const start = performance.now();
    knownTokens += recommender.scoreReturning(instance, memory).knownTokens;
    seconds.push((performance.now() - start) / 1000);
    tokens += recommender.prompt(instance).ids.length;
    memory.dispose();
  }
  return { seconds, knownShare: knownTokens / tokens };
}

/** All rows as one batch, each with its own gate or all with the first one's. */
function mixed(rows: readonly number[], hasOneGate: boolean): Record<string, unknown> {
  const asked = instances(rows);
  const { prompts } = recommender.parts;
  const histories = asked.map(({ history }) => history);
  const layout = layOut(
    asked.map((instance) => ({
      prompt: recommender.prompt(instance),
      continuations: instance.candidates.map((item) => prompts.answer(item)),
    })),
  );
  const start = performance.now();
  noGrad(() =>
    scope(() => {
      const own_BE = recommender.model.gates(histories) as Tensor;
      const gates_BE = hasOneGate ? expand(narrow(own_BE, 0, 0, 1), own_BE.shape) : own_BE;
      return recommender.model
        .logProbabilities(layout, histories, { gates_BE })
        .logProbabilities_X.toNumbers();
    }),
  );
  return { seconds: (performance.now() - start) / 1000, tokens: layout.B * layout.T };
}

interface Task {
  do: string;
  batch?: number;
  rows?: number[];
  maxNewTokens?: number;
  hasOneGate?: boolean;
  hasGradient?: boolean;
  reset?: boolean;
  sizes?: { M: number; K: number; N: number }[];
  dtypes?: DType[];
  seconds?: number;
}

const TASKS: Record<string, (task: Task) => unknown> = {
  loss: ({ batch = 0, hasGradient = false }) => loss(batch, hasGradient),
  train: ({ batch = 0 }) => trainStep(batch),
  rank: ({ rows = [] }) => rank(rows),
  generate: ({ rows = [], maxNewTokens = 64 }) => generate(rows, maxNewTokens),
  returning: ({ rows = [] }) => returning(rows),
  mixed: ({ rows = [], hasOneGate = false }) => mixed(rows, hasOneGate),
  memory: ({ reset = false }) => {
    const bytes = peakBytes();
    if (reset) forgetPeak();
    return { peakBytes: bytes };
  },
  peak: ({ sizes = [], dtypes = [], seconds = 1 }) => ({
    speeds: dtypes.flatMap((type) =>
      sizes.map((size) => ({
        dtype: type,
        ...size,
        gflops: productSpeed(type, size, { seconds, device }),
      })),
    ),
  }),
};

const say = (answer: unknown): void => {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
};

function fail(error: unknown): void {
  say({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

const { libtorch, threads } = engineInfo();
say({ ready: true, libtorch: libtorch.version, threads });
for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line) as Task;
  try {
    const work = TASKS[task.do];
    if (work === undefined) throw new Error(`expected a task, got "${task.do}"`);
    say(await work(task));
  } catch (error) {
    fail(error);
  }
}
process.exit(); // the trainer still waits for its next step
