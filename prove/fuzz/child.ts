/**
 * A process that tries inputs: it takes one job after the other from its parent.
 *
 * Nothing here ends on its own accord when an input hangs or kills: the parent watches the file `trying`, and
 * the input lies in the folder beside it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { forgetPeak } from '../../harness/kernel.js';
import { type Case, CaseFolder, type Content, PLACES, sizeOf } from './case.js';
import { type Coverage, CoverageMeter } from './coverage.js';

/** What a child is asked to do. */
export interface Job {
  target: string;
  /** Number of inputs to try. */
  count: number;
  seed: number;
  /** Jobs of one target differ in it, and so in all that is random. */
  shard: number;
  /** Measures the memory of large inputs instead. */
  isHeavy?: boolean;
  /** Where inputs are laid out, new for each job. */
  folder: string;
  /** Where inputs that failed are kept. */
  keep: string;
}

/** One kind of failure and how often it was met. */
export interface Failure {
  target: string;
  text: string;
  stack: string;
  times: number;
  /** Folder with the first input that showed it. */
  reproducer: string;
}

/** Memory taken by one large input. */
export interface HeavyFigure {
  target: string;
  name: string;
  fileBytes: number;
  growthBytes: number;
  seconds: number;
  outcome: string;
}

/** What came of a job. */
export interface JobResult {
  target: string;
  tried: number;
  accepted: number;
  /** By code of the refusal. */
  refused: Record<string, number>;
  failures: Failure[];
  coverage: Coverage;
  /** Inputs kept because they reached new code. */
  kept: number;
  slowestMs: number;
  /** Most that memory grew by on one input. */
  growthBytes: number;
  /** Of processor time. */
  seconds: number;
  heavy: HeavyFigure[];
}

// Before the readers are imported: V8 counts blocks only in code compiled after this.
const meter = new CoverageMeter();
const { IloraError } = await import('../../src/errors/index.js');
const { Random } = await import('../../src/random/index.js');
const { mutate } = await import('./mutate.js');
const { fault, keyOf } = await import('./judge.js');
const { TARGETS } = await import('./targets.js');

/** Inputs between two looks at the coverage. */
const BATCH = 24;
/** What an input of a few kilobytes may keep the processor busy; larger ones in proportion. */
const MAX_WORK_SECONDS = 3;
const MIN_BYTES_PER_SECOND = 1 << 18;
/** More than the engine, the database and the heap's own breathing take for a file of a few kilobytes. */
const GROWTH_CONSTANT = 192 << 20;

class Work {
  private readonly folder: CaseFolder;
  private readonly result: JobResult;
  private readonly failures = new Map<string, Failure>();

  constructor(
    private readonly job: Job,
    private readonly target: Awaited<ReturnType<(typeof TARGETS)[string]>>['default'],
  ) {
    mkdirSync(job.folder, { recursive: true });
    this.folder = new CaseFolder(join(job.folder, 'case'));
    this.result = {
      target: job.target,
      tried: 0,
      accepted: 0,
      refused: {},
      failures: [],
      coverage: new Map(),
      kept: 0,
      slowestMs: 0,
      growthBytes: 0,
      seconds: 0,
      heavy: [],
    };
  }

  async run(): Promise<JobResult> {
    const { job, target, result } = this;
    const started = process.cpuUsage();
    if (job.isHeavy === true) await this.measure();
    else await this.fuzz(await target.seeds());
    result.failures = [...this.failures.values()];
    result.coverage = meter.coverage;
    const { user, system } = process.cpuUsage(started);
    result.seconds = (user + system) / 1e6;
    return result;
  }

  /** Seeds first, then each file replaced by what is no file, then mutants of what was kept. */
  private async fuzz(seeds: readonly Case[]): Promise<void> {
    const { job, target } = this;
    meter.watch(target.sources);
    const pool = [...seeds];
    for (const seed of seeds) {
      const outcome = await this.try(seed);
      if (outcome !== 'accepted')
        this.fail(`a valid input was refused: ${outcome}`, undefined, seed);
    }
    meter.take();
    if (job.shard === 0) for (const input of displaced(seeds[0]!)) await this.try(input);
    const random = new Random(job.seed, `fuzz/${job.target}`, job.shard);
    while (this.result.tried < job.count) {
      const batch: Case[] = [];
      for (let i = Math.min(BATCH, job.count - this.result.tried); i > 0; i--) {
        const parent = pool[random.int(pool.length)]!;
        const input = mutate(parent, pool[random.int(pool.length)]!, random);
        if (target.seal !== undefined && random.int(4) > 0) target.seal(input);
        if (sizeOf(input) < 1 << 20) batch.push(input);
      }
      for (const input of batch) await this.try(input);
      const fresh = meter.take();
      if (fresh.length === 0) continue;
      // Which of them was it? New code is rare enough to ask each one again.
      for (const input of batch) {
        await this.try(input, false);
        if (!meter.hits(fresh)) continue;
        pool.push(input);
        this.result.kept++;
      }
    }
  }

  /** Tries one input; how it ended. */
  private async try(input: Case, isCounted = true): Promise<string> {
    const { target, result, folder, job } = this;
    if (target.writes === true) folder.forget();
    folder.write(input);
    writeFileSync(join(job.folder, 'trying'), `${result.tried}`);
    if (isCounted) result.tried++;
    const before = process.resourceUsage().maxRSS;
    const started = performance.now();
    const cpu = process.cpuUsage();
    let outcome = 'accepted';
    try {
      await target.read(folder.path);
      if (isCounted) result.accepted++;
    } catch (error) {
      const text = fault(error, folder.path);
      outcome = error instanceof IloraError ? error.code : 'escaped';
      if (isCounted) result.refused[outcome] = (result.refused[outcome] ?? 0) + 1;
      if (text !== undefined) this.fail(text, error, input);
      if (process.env.FUZZ_TRACE !== undefined)
        process.stderr.write(`${(error as Error).message.slice(0, 300)}\n`);
    }
    const took = performance.now() - started;
    result.slowestMs = Math.max(result.slowestMs, took);
    const growth = (process.resourceUsage().maxRSS - before) * 1024;
    result.growthBytes = Math.max(result.growthBytes, growth);
    if (growth > GROWTH_CONSTANT + 64 * sizeOf(input))
      this.fail(`memory grew by ${growth >> 20} MiB`, undefined, input);
    // Processor time: others may work on this machine.
    const { user, system } = process.cpuUsage(cpu);
    const worked = (user + system) / 1e6;
    if (worked > MAX_WORK_SECONDS + sizeOf(input) / MIN_BYTES_PER_SECOND)
      this.fail(`worked for ${worked.toFixed(0)} s`, undefined, input);
    return outcome;
  }

  private fail(text: string, error: unknown, input: Case): void {
    const key = keyOf(text, error);
    const known = this.failures.get(key);
    if (known !== undefined) {
      known.times++;
      return;
    }
    const reproducer = join(
      this.job.keep,
      `${this.job.target}-${this.job.shard}-${this.failures.size}`,
    );
    save(input, reproducer);
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    this.failures.set(key, { target: this.job.target, text, stack, times: 1, reproducer });
  }

  /** Growth of this process's memory on each large input, from a collected heap. */
  private async measure(): Promise<void> {
    const { target, job, result, folder } = this;
    // What is set up once (engine, database, tables) is not the input's.
    for (const seed of await target.seeds()) await this.try(seed);
    const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
    collect();
    // The same for all: what one input leaves behind counts against the next, never for it.
    const before = process.memoryUsage.rss();
    for (const [name, input] of Object.entries((await target.heavy?.()) ?? {})) {
      folder.write(input);
      collect();
      resetPeak();
      const started = process.cpuUsage();
      const outcome = await this.try(input);
      const { user, system } = process.cpuUsage(started);
      result.heavy.push({
        target: job.target,
        name,
        fileBytes: sizeOf(input),
        growthBytes: Math.max(0, process.resourceUsage().maxRSS * 1024 - before),
        seconds: (user + system) / 1e6,
        outcome,
      });
    }
  }
}

/** Lets Linux forget the most memory this process ever had; elsewhere the figure is an upper bound. */
function resetPeak(): void {
  try {
    forgetPeak();
  } catch {
    // Not Linux, or not permitted.
  }
}

/** The input with each file in turn replaced by each thing that is no file of its kind. */
function* displaced(seed: Case): Iterable<Case> {
  for (const name of seed.keys())
    for (const place of PLACES) yield new Map<string, Content>(seed).set(name, place);
}

function save(input: Case, to: string): void {
  for (const [name, content] of input) {
    const path = join(to, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(typeof content === 'string' ? `${path}.is` : path, content);
  }
}

process.on('message', async (job: Job) => {
  try {
    const target = (await TARGETS[job.target]!()).default;
    process.send!(await new Work(job, target).run());
  } catch (error) {
    process.stderr.write(`${(error as Error).stack}\n`);
    process.exit(1);
  }
});
process.send!('ready');
