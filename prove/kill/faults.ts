/**
 * Faults at file operations: every one of a short run, in processes that the shim ends there.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ROOT } from '../../harness/index.js';
import { writeFileAtomic } from '../../src/files/index.js';
import { Random } from '../../src/random/index.js';
import { drawPlaces } from '../resume/places.js';
import type { Variant, World } from '../resume/world.js';
import { buildShim, type FaultMode, KINDS } from './fault.js';
import type { FaultCase, FaultResult, ZygoteInput } from './zygote.js';

export interface FaultAmount {
  /** Operations of each mode that are tried; Infinity for all. */
  each: Record<Exclude<FaultMode, 'none'>, number>;
  /** Two faults in a row, the second in the process that resumes. */
  pairs: number;
  /** Kills in a run of iLoRA. */
  ilora: number;
}

export interface FaultFindings {
  operations: number;
  tried: Record<string, number>;
  /** How many kills, torn writes and failures fell on which kind of operation. */
  byKind: Record<string, Record<string, number>>;
  resumed: number;
  equal: number;
  /** Faults of the device that a run survived by itself. */
  survived: number;
  example: string;
}

const MODES = ['kill', 'torn', 'full', 'broken'] as const;

export async function proveFaults(
  world: World,
  folder: string,
  { amount, seed, failures }: { amount: FaultAmount; seed: number; failures: string[] },
): Promise<FaultFindings> {
  mkdirSync(folder, { recursive: true });
  const plain = (variant: Variant): FaultCase => ({ variant, faults: [{ mode: 'none', at: 0 }] });
  const references = [plain('sasrec'), plain('linear')];
  const zygote = new Zygote(
    { world, folder, seed, windows: { sasrec: 8, linear: 8 }, cases: references },
    buildShim(folder),
  );
  const [sasrec, ilora] = (await zygote.results(2)) as [FaultResult, FaultResult];
  for (const { failure } of [sasrec, ilora]) if (failure !== undefined) throw new Error(failure);
  const random = new Random(seed, 'prove-faults');
  const operations = sasrec.operations as string;
  const cases: FaultCase[] = [];
  for (const mode of MODES)
    for (const at of drawPlaces(placesFor(mode, operations), amount.each[mode], random))
      cases.push({ variant: 'sasrec', faults: [{ mode, at }] });
  for (let i = 0; i < amount.pairs; i++) {
    const place = (): number => 1 + random.int(operations.length);
    cases.push({
      variant: 'sasrec',
      faults: [
        { mode: 'kill', at: place() },
        { mode: random.uniform() < 0.5 ? 'kill' : 'torn', at: 1 + random.int(60) },
        { mode: 'kill', at: 1 + random.int(60) },
      ],
    });
  }
  const places = placesFor('kill', ilora.operations as string);
  for (const at of drawPlaces(places, amount.ilora, random))
    cases.push({ variant: 'linear', faults: [{ mode: 'kill', at }] });
  const results = await zygote.finish(cases);
  return summarise(results, cases.length, operations.length, failures);
}

function summarise(
  results: readonly FaultResult[],
  wanted: number,
  operations: number,
  failures: string[],
): FaultFindings {
  if (results.length !== wanted)
    failures.push(`faults: ${wanted} cases, but ${results.length} results`);
  const tried: Record<string, number> = {};
  const byKind: Record<string, Record<string, number>> = {};
  let equal = 0;
  let survived = 0;
  let example = '';
  for (const { case: one, ends, failure } of results) {
    if (failure === undefined) equal++;
    else failures.push(`${JSON.stringify(one)}: ${failure}`);
    for (const [i, end] of ends.entries()) {
      const mode = one.faults[i]?.mode ?? 'none';
      // The process ended before it came so far, or there was no write to tear.
      if (end.kind === '' || (mode === 'torn' && end.kind !== 'w')) continue;
      tried[mode] = (tried[mode] ?? 0) + 1;
      byKind[mode] ??= {};
      const kind = KINDS[end.kind] ?? end.kind;
      byKind[mode][kind] = (byKind[mode][kind] ?? 0) + 1;
      if (end.how === 'exit' && end.code === 0) survived++;
      if (mode === 'full' && example === '') example = end.message;
    }
  }
  const lost = lostCheckpoints(results);
  if (lost !== undefined) failures.push(lost);
  return {
    operations,
    tried,
    byKind,
    resumed: results.length,
    equal,
    survived,
    example: example.replace(/\/\S*\/run\//g, 'RUN/'),
  };
}

/** A later kill must never leave an older checkpoint as the newest. */
function lostCheckpoints(results: readonly FaultResult[]): string | undefined {
  const kills = results
    .filter(
      ({ case: one }) =>
        one.variant === 'sasrec' && one.faults.length === 1 && one.faults[0]?.mode === 'kill',
    )
    .sort((a, b) => (a.case.faults[0]?.at ?? 0) - (b.case.faults[0]?.at ?? 0));
  for (const [i, { newestStep, case: one }] of kills.entries())
    if (i > 0 && newestStep < (kills[i - 1]?.newestStep ?? -1))
      return `a kill at operation ${one.faults[0]?.at} left step ${newestStep} after one that left ${kills[i - 1]?.newestStep}`;
  return undefined;
}

/** Operations at which a mode can happen. */
function placesFor(mode: FaultMode, operations: string): number[] {
  const wanted = mode === 'torn' ? 'w' : mode === 'full' ? 'cwm' : Object.keys(KINDS).join('');
  return [...operations].flatMap((kind, i) => (wanted.includes(kind) ? [i + 1] : []));
}

/** The process that is forked for every case. */
class Zygote {
  readonly #folder: string;
  readonly #ended: Promise<number | null>;
  #hasEnded = false;

  constructor(input: ZygoteInput, library: string) {
    this.#folder = input.folder;
    const file = join(input.folder, 'cases.json');
    writeFileSync(file, JSON.stringify(input));
    const script = join(ROOT, 'prove', 'kill', 'zygote.ts');
    // One thread: a forked process has only the one that forked.
    const child = spawn(process.execPath, ['--single-threaded', '--import', 'tsx', script, file], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        OMP_NUM_THREADS: '1',
        LD_PRELOAD: library,
        SHIM_ROOT: join(input.folder, 'run'),
      },
    });
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => {
        this.#hasEnded = true;
        resolve(code);
      });
    });
  }

  /** The first results, as soon as there are so many. */
  async results(count: number): Promise<FaultResult[]> {
    while (this.#read().length < count) {
      if (this.#hasEnded) throw new Error(`the zygote ended with ${await this.#ended}`);
      await setTimeout(50);
    }
    return this.#read().slice(0, count);
  }

  /** Runs the cases. @returns their results */
  async finish(cases: readonly FaultCase[]): Promise<FaultResult[]> {
    const before = this.#read().length;
    writeFileAtomic(join(this.#folder, 'more.json'), JSON.stringify(cases));
    const code = await this.#ended;
    if (code !== 0) throw new Error(`the zygote ended with ${code}`);
    return this.#read().slice(before);
  }

  #read(): FaultResult[] {
    const file = join(this.#folder, 'results.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as FaultResult);
  }
}
