/**
 * The process that is forked for every case: it loads engine, dataset and base once and trains nothing.
 *
 * Started by faults.ts with the shim preloaded; reads its cases as JSON from the file named on the command
 * line, later from `more.json`, and appends a line to `results.jsonl` per finished case.
 */
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Dataset, openDataset } from '../../src/data/index.js';
import { IloraError } from '../../src/errors/index.js';
import { openBase } from '../../src/recommenders/index.js';
import { engineThreads, zeros } from '../../src/tensor/index.js';
import { RunFolder, type Settings, trainRun } from '../../src/training/index.js';
import { firstDifference, type Outcome, readOutcome } from '../resume/outcome.js';
import { score } from '../resume/score.js';
import { settingsOf, type Variant, type World, withSection } from '../resume/world.js';
import { type FaultEnd, type FaultMode, inFork } from './fault.js';

/** One fault, or two in a row: at the first, and at the second in the process that resumes. */
export interface FaultCase {
  variant: Variant;
  faults: { mode: FaultMode; at: number }[];
}

export interface ZygoteInput {
  world: World;
  folder: string;
  seed: number;
  /** Steps of a run. */
  windows: Record<string, number>;
  cases: FaultCase[];
}

/** What became of a case; the first of each variant is the uninterrupted run. */
export interface FaultResult {
  case: FaultCase;
  ends: { how: string; code: number; kind: string; operations: number; message: string }[];
  /** Newest checkpoint that stood after the last fault, and where the resumed run began. */
  newestStep: number;
  firstStep: number;
  notices: number;
  /** What is wrong; undefined if the resumed run equals the uninterrupted one. */
  failure?: string;
  /** Kinds of all operations; of the uninterrupted run only. */
  operations?: string;
}

const input = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as ZygoteInput;
engineThreads(1);
zeros([1]).dispose();
const dataset: Dataset = await openDataset(input.world.data);
const out = join(input.folder, 'run');
const said = join(input.folder, 'said.txt');
const encoder = join(input.folder, 'encoder');
const references = new Map<Variant, Outcome>();
// Loads what is loaded late, so that no child needs the threads that load modules.
openBase(input.world.base, { device: 'cpu', dtype: 'float32' });

for (const one of input.cases) await report(one);
// How many operations there are is known only now; the cases follow in a file.
const more = join(input.folder, 'more.json');
while (!existsSync(more)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
for (const one of JSON.parse(readFileSync(more, 'utf8')) as FaultCase[]) await report(one);

async function report(one: FaultCase): Promise<void> {
  appendFileSync(join(input.folder, 'results.jsonl'), `${JSON.stringify(await runCase(one))}\n`);
}

function settings(variant: Variant): Settings {
  const made = settingsOf(input.world, variant, { out, seed: input.seed, encoder });
  const windows = input.windows[variant] ?? 8;
  return variant === 'sasrec'
    ? withSection(made, 'sasrec', { epochs: 1, patience: 0, checkpointSeconds: 1e-9 })
    : withSection(made, 'training', { windows, validateEvery: 4, checkpointSeconds: 1e-9 });
}

async function runCase(one: FaultCase): Promise<FaultResult> {
  rmSync(out, { recursive: true, force: true });
  const ends: FaultResult['ends'] = [];
  let full = '';
  for (const [i, fault] of one.faults.entries()) {
    const end = await training(one.variant, fault, i > 0);
    full = end.operations;
    ends.push({
      how: end.how,
      code: end.code,
      kind: end.operations[fault.at - 1] ?? '',
      operations: end.operations.length,
      message: words(),
    });
  }
  const result: FaultResult = {
    case: one,
    ends,
    newestStep: newestStep(),
    firstStep: -1,
    notices: 0,
  };
  if (!references.has(one.variant)) {
    const [end] = ends;
    if (end?.how !== 'exit' || end.code !== 0)
      return { ...result, failure: `the reference: ${JSON.stringify(end)}` };
    references.set(one.variant, readOutcome(out));
    if (one.variant === 'sasrec') cpSync(out, encoder, { recursive: true });
    return { ...result, operations: full };
  }
  const wrong = ends.map((end, i) => unexpected(end, one.faults[i]?.mode ?? 'none')).find(Boolean);
  const last = await training(one.variant, { mode: 'none', at: 0 }, true);
  const lines = words().split('\n');
  result.firstStep =
    Number(lines.find((line) => line.startsWith('step '))?.slice(5) ?? result.newestStep + 1) - 1;
  result.notices = lines.filter((line) => line.startsWith('notice ')).length;
  result.failure =
    wrong ??
    (last.how !== 'exit' || last.code !== 0
      ? `resumed: ${last.how} ${last.code}: ${words()}`
      : result.notices > 0
        ? `a checkpoint was damaged: ${lines.find((line) => line.startsWith('notice '))}`
        : result.firstStep !== Math.max(0, result.newestStep)
          ? `resumed from step ${result.firstStep}, not from ${result.newestStep}`
          : (firstDifference(references.get(one.variant) as Outcome, readOutcome(out)) ??
            leftovers()));
  return result;
}

/** One process: a training run that is begun or resumed, with a fault in it. */
function training(
  variant: Variant,
  { mode, at }: { mode: FaultMode; at: number },
  resume: boolean,
): Promise<FaultEnd> {
  rmSync(said, { force: true });
  return inFork(mode, at, async () => {
    let isFirst = true;
    try {
      await trainRun(
        settings(variant),
        { shared: { dataset }, basePath: input.world.base, resume },
        {
          score,
          onStep: ({ step }) => {
            if (isFirst) appendFileSync(said, `step ${step}\n`);
            isFirst = false;
          },
          onNotice: (text) => appendFileSync(said, `notice ${text}\n`),
        },
      );
      return 0;
    } catch (error) {
      const isOurs = error instanceof IloraError;
      appendFileSync(said, `${isOurs ? error.code : 'raw'}: ${(error as Error).message}\n`);
      return isOurs ? 1 : 70;
    }
  });
}

/** What the last process left as its words: where it began, notices, its error. */
function words(): string {
  return existsSync(said) ? readFileSync(said, 'utf8').trim() : '';
}

function newestStep(): number {
  const { checkpoints } = new RunFolder(out);
  if (!existsSync(checkpoints)) return -1;
  const steps = readdirSync(checkpoints).map((name) => Number(/^step-(\d+)/.exec(name)?.[1] ?? -1));
  return Math.max(-1, ...steps);
}

/** What is wrong with the way a process ended under a fault. */
function unexpected(end: FaultResult['ends'][number], mode: FaultMode): string | undefined {
  const text = `${mode} at ${end.kind}: ${end.how} ${end.code}: ${end.message}`;
  const isReached = end.kind !== '';
  // Only a write can be torn; in a process that resumes the place may fall on something else.
  if (mode === 'torn' && end.kind !== 'w') return end.code === 0 ? undefined : text;
  if (mode === 'kill' || mode === 'torn')
    return end.how === 'signal' && end.code === 9 ? undefined : isReached ? text : undefined;
  if (end.how !== 'exit' || end.code > 1) return text;
  const lines = end.message.split('\n');
  const error = lines.find((line) => line.startsWith('file: '));
  if (end.code === 1 && (error === undefined || !error.includes(out))) return text;
  if (mode === 'full' && !(end.code === 1 && error?.includes('no space left'))) return text;
  return undefined;
}

/** Nothing temporary and no lock may be left. */
function leftovers(): string | undefined {
  const { path, checkpoints } = new RunFolder(out);
  const left = [...readdirSync(path), ...readdirSync(checkpoints)].filter((name) =>
    /^\.|lock/.test(name),
  );
  return left.length > 0 ? `left behind: ${left.join(', ')}` : undefined;
}
