/**
 * Proves: memory does not grow, no tensor is left over, and a process can end at any moment.
 *
 *   npm run --silent prove:memory [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * In processes of their own: training steps of a small iLoRA through `trainRun` with validation and
 * checkpoints; recommendations (`rank` and `generate`) from the run that made; workers one after another and
 * five at a time; and processes ended in the middle of their work. A control that does nothing but keep a tensor
 * per iteration must be noticed. The long form also trains SmolLM2-135M, where it has been pulled, for figures.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder, lastLine } from '../harness/index.js';
import { engineEnvironment } from '../src/tensor/index.js';
import { runChild } from './memory/child.js';
import { MOST_SECONDS, runEndings } from './memory/endings.js';
import type { Course } from './memory/samples.js';
import type { Work } from './memory/work.js';
import type { WorkersAsked, WorkersCourse } from './memory/workers.js';
import { type Findings, type ProofOptions, prove } from './proof.js';
import { makeWorld, settingsInput, type World } from './resume/world.js';

/** How much is done: `workers` one after another, `crowd` five at a time; 0 endings: some of them, once. */
const LONG = { steps: 2000, recommendations: 2000, workers: 50, crowd: 50, endings: 3, real: 70 };
const QUICK = { steps: 150, recommendations: 150, workers: 2, crowd: 5, endings: 0, real: 0 };
const CONTROL = 150;
const REAL = join('models', 'smollm2-135m', 'SmolLM2-135M-Instruct.Q4_1.gguf');

/** What resident memory may grow by after the warm-up. */
const MOST_GROWTH = 0.02;
/** The same for workers, of which V8 and the allocator keep a few MB now and then. */
const MOST_WORKER_GROWTH = 0.05;

await prove('memory', (options) => inFolder('memory', (folder) => run(options, folder)));

async function run({ isQuick, seed, note }: ProofOptions, folder: string): Promise<Findings> {
  const amount = isQuick ? QUICK : LONG;
  const failures: string[] = [];
  const world = await makeWorld(join(folder, 'world'), seed);
  const run = workIn(world, folder, seed, note);
  const courses = async (): Promise<Record<string, Course>> => {
    const training = await run('train', amount.steps);
    const recommending = await run('recommend', amount.recommendations);
    const control = await run('nothing', CONTROL, { leakedBytes: 3e5 });
    failures.push(...faultsOf('training', training), ...faultsOf('recommending', recommending));
    if (faultsOf('control', control).length < 3)
      failures.push(`control: tensors kept on purpose went unnoticed: ${JSON.stringify(control)}`);
    const real = join(engineEnvironment().cacheDir, REAL);
    return {
      training,
      recommending,
      control,
      ...(amount.real > 0 &&
        existsSync(real) && { smollm2: await run('train', amount.real, { base: real }) }),
    };
  };
  const others = async () => {
    const made: WorkersCourse[] = [];
    for (const [workers, atOnce] of [
      [amount.workers, 1],
      [amount.crowd, 5],
    ] as const) {
      made.push(await runWorkers({ workers, atOnce }));
      note(`workers: ${JSON.stringify(made.at(-1))}`);
    }
    failures.push(...made.flatMap((course) => workerFaults(course, isQuick)));
    return { workers: made, endings: await runEndings(amount.endings, failures, note) };
  };
  const [memory, rest] = await Promise.all([courses(), others()]);
  const limits = {
    growth: MOST_GROWTH,
    workerGrowth: MOST_WORKER_GROWTH,
    endingSeconds: MOST_SECONDS,
  };
  return { ok: failures.length === 0, failures, ...memory, ...rest, limits };
}

type RunWork = (
  kind: Work['kind'],
  iterations: number,
  more?: { leakedBytes?: number; base?: string },
) => Promise<Course>;

function workIn(world: World, folder: string, seed: number, note: (text: string) => void): RunWork {
  return async (kind, iterations, { leakedBytes = 0, base = world.base } = {}) => {
    const out = join(folder, base === world.base ? 'run' : 'real');
    const { training, ...settings } = settingsInput(world, 'linear', { out, seed });
    const work: Work = {
      kind,
      base,
      iterations,
      leakedBytes,
      settings: {
        ...settings,
        training: {
          ...(training as object),
          batchSize: 3,
          windows: 3 * iterations,
          validateEvery: Math.ceil((3 * iterations) / 8),
          patience: 0,
          checkpointSeconds: 1,
        },
      },
    };
    const course = lastLine<Course>(
      'work.ts',
      await runChild('work.ts', { input: JSON.stringify(work) }),
    );
    note(`${kind}${leakedBytes > 0 ? ' (control)' : ''}: ${JSON.stringify(course)}`);
    return course;
  };
}

async function runWorkers(asked: WorkersAsked): Promise<WorkersCourse> {
  const ended = await runChild('workers.ts', { args: [JSON.stringify(asked)] });
  return lastLine('workers.ts', ended);
}

function faultsOf(name: string, course: Course): string[] {
  const { growth, liveBefore, liveWarm, liveMost, liveAfter } = course;
  const faults: string[] = [];
  if (growth > MOST_GROWTH) faults.push(`${name}: memory grew by ${(100 * growth).toFixed(2)} %`);
  if (liveMost > liveWarm)
    faults.push(`${name}: expected at most ${liveWarm} live tensors, got ${liveMost}`);
  if (liveAfter !== liveBefore)
    faults.push(`${name}: expected ${liveBefore} live tensors at the end, got ${liveAfter}`);
  return faults;
}

/** @param isQuick too few rounds to judge the memory by */
function workerFaults(course: WorkersCourse, isQuick: boolean): string[] {
  const { workers, atOnce, exitedWith0, answers, earlyMb, lateMb, liveBefore, liveAfter } = course;
  const name = `workers, ${atOnce} at once`;
  const faults: string[] = [];
  if (exitedWith0 !== workers)
    faults.push(`${name}: expected ${workers} to exit with 0, got ${exitedWith0}`);
  if (answers !== 1) faults.push(`${name}: expected one answer, got ${answers}`);
  if (liveAfter !== liveBefore)
    faults.push(`${name}: expected ${liveBefore} live tensors at the end, got ${liveAfter}`);
  if (!isQuick && lateMb > earlyMb * (1 + MOST_WORKER_GROWTH))
    faults.push(`${name}: memory grew from ${earlyMb} to ${lateMb} MB`);
  return faults;
}
