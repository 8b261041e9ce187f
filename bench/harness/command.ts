/**
 * What the benchmarks share: their flags, their progress and the document they end with.
 *
 *   npm run --silent bench:NAME [-- --quick] [--json] [--result FILE]
 *
 * `--quick` does the same with less. `--json` makes the last line of stdout one object; without it a table is
 * printed. `--result` also writes the object, with commit, machine and versions. The exit code is 0 if all checks
 * held, 1 if not, 2 for wrong usage.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveModel } from '../../src/cli/model.js';
import { IloraError } from '../../src/errors/index.js';
import { engineInfo, preferredDtype, processorName } from '../../src/tensor/index.js';
import { rounded } from './statistics.js';

export const ROOT = resolve(import.meta.dirname, '..', '..');

/** Type the base computes in. */
export type BenchDtype = 'float32' | 'bfloat16';

/** What a benchmark is asked for. */
export interface BenchOptions {
  isQuick: boolean;
  rounds: number;
  threads: number;
  /** Windows per training step, or rows to be ranked, where the benchmark's own number is not wanted. */
  windows?: number;
  dtype: BenchDtype;
  /** Dataset folder. */
  data: string;
  /** Path of the base's files. */
  base: string;
  /** Longest history, where a SASRec is trained. */
  length: number;
  /** Folder for figures, where they are wanted. */
  figures?: string;
  /** Python that has the peers' packages; absent with `--no-peers` and where there are no peers. */
  python?: string;
  /** A folder that is removed at the end. */
  work: string;
  /** One line of progress on stderr. */
  note: (text: string) => void;
}

/** What a benchmark found. */
export interface Findings {
  /** Checks that did not hold, one line each; figures mean nothing then. */
  failures: string[];
  [figure: string]: unknown;
}

/** A wrong flag or something that is not there: the message is all the user needs. */
export class UsageError extends Error {}

/** What a benchmark is beside its work. */
export interface BenchPlan {
  /** Rounds where `--rounds` says nothing, and with `--quick`. */
  rounds?: number;
  quickRounds?: number;
  /** Packages of the peers, or none. */
  peers?: Peers;
}

interface Peers {
  modules: string;
  /** File in bench/peers that names them. */
  requirements: string;
  /** Folder in bench where they are installed. */
  venv: string;
}

const PYTORCH: Peers = {
  modules: 'torch, transformers, peft, safetensors',
  requirements: 'requirements.txt',
  venv: '.venv',
};
export const RECBOLE: Peers = {
  modules: 'torch, recbole',
  requirements: 'recbole-requirements.txt',
  venv: '.venv-recbole',
};

/** Runs a benchmark beside P1 and P2 as a command: reads the flags, prints the findings, sets the exit code. */
export const bench = (name: string, run: Run): Promise<void> =>
  command(name, { peers: PYTORCH }, run);

type Run = (options: BenchOptions) => Promise<Findings>;

/** `bench` with other peers or none, or other numbers of rounds. */
export async function command(name: string, plan: BenchPlan, run: Run): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'ilora-bench-'));
  const clean = (): void => rmSync(work, { recursive: true, force: true });
  process.once('exit', clean);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(130));
  const started = performance.now();
  try {
    const flags = readFlags();
    const options = resolveFlags(flags, plan, work);
    const { failures, ...figures } = await run(options);
    const { dtype, threads, rounds, isQuick } = options;
    const document = {
      bench: name,
      ok: failures.length === 0,
      quick: isQuick,
      ...(rounded(figures) as Record<string, unknown>),
      failures,
      base: flags.base,
      dtype,
      threads,
      rounds,
      seconds: Math.round((performance.now() - started) / 1000),
      ...place(),
    };
    if (flags.result !== undefined) {
      mkdirSync(dirname(flags.result), { recursive: true });
      writeFileSync(flags.result, `${JSON.stringify(document, null, 2)}\n`);
    }
    if (flags.json) process.stdout.write(`${JSON.stringify(document)}\n`);
    else console.log(table(document));
    process.exitCode = document.ok ? 0 : 1;
  } catch (error) {
    const isClear = error instanceof UsageError || error instanceof IloraError;
    process.stderr.write(`bench:${name}: ${isClear ? error.message : (error as Error).stack}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  } finally {
    clean();
  }
}

const FLAGS = {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  result: { type: 'string' },
  rounds: { type: 'string' },
  threads: { type: 'string', default: String(availableParallelism()) },
  windows: { type: 'string' },
  dtype: { type: 'string', default: 'auto' },
  length: { type: 'string', default: '50' },
  figures: { type: 'string' },
  data: { type: 'string', default: 'runs/movielens/data' },
  base: { type: 'string', default: 'smollm2-135m' },
  peers: { type: 'string' },
  'no-peers': { type: 'boolean', default: false },
} as const;

type Flags = ReturnType<typeof readFlags>;

function readFlags() {
  try {
    return parseArgs({ options: FLAGS }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nflags: --${Object.keys(FLAGS).join(' --')}`);
  }
}

function resolveFlags(flags: Flags, plan: BenchPlan, work: string): BenchOptions {
  const { rounds = 5, quickRounds = rounds, peers } = plan;
  const usual = String(flags.quick ? quickRounds : rounds);
  const given = { ...flags, rounds: flags.rounds ?? usual };
  const count = (flag: 'rounds' | 'threads' | 'windows' | 'length'): number => {
    const value = Number(given[flag]);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new UsageError(`--${flag}: expected a whole number from 1, got ${given[flag]}`);
  };
  const { dtype, data } = flags;
  if (dtype !== 'auto' && dtype !== 'float32' && dtype !== 'bfloat16')
    throw new UsageError(`--dtype: expected auto, float32 or bfloat16, got ${dtype}`);
  return {
    isQuick: flags.quick,
    rounds: count('rounds'),
    threads: count('threads'),
    ...(flags.windows !== undefined && { windows: count('windows') }),
    dtype: dtype === 'auto' ? preferredDtype('cpu') : dtype,
    length: count('length'),
    ...(flags.figures !== undefined && { figures: resolve(flags.figures) }),
    get data() {
      if (existsSync(join(data, 'manifest.json'))) return resolve(data);
      throw new UsageError(
        `${data}: expected a dataset folder — type "npx ilora data pull movielens-100k --out ${data}"`,
      );
    },
    get base() {
      return resolve(resolveModel(flags.base));
    },
    ...(!flags['no-peers'] && peers !== undefined && { python: findPython(flags.peers, peers) }),
    work,
    note: (text) => process.stderr.write(`${text}\n`),
  };
}

/** @throws UsageError saying how the peers are installed */
function findPython(wanted: string | undefined, { modules, requirements, venv }: Peers): string {
  const own = join('bench', venv, 'bin', 'python');
  const python = wanted ?? (process.env.ILORA_BENCH_PYTHON || join(ROOT, own));
  const { status } = spawnSync(python, ['-c', `import ${modules}`]);
  if (status === 0) return python;
  throw new UsageError(
    `${wanted === undefined ? relative(ROOT, python) : python}: expected a Python with the peers' packages. Install them with
  python3 -m venv bench/${venv} && bench/${venv}/bin/pip install -r bench/peers/${requirements}
or name another Python with --peers PATH or ILORA_BENCH_PYTHON, or time ilora alone with --no-peers`,
  );
}

export function place(): Record<string, string> {
  return {
    machine: processorName(),
    node: process.version,
    libtorch: engineInfo().libtorch.version,
    commit: commit(),
    date: new Date().toISOString(),
  };
}

export function commit(): string {
  try {
    const git = (...words: string[]): string =>
      execFileSync('git', ['-C', ROOT, ...words], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const isClean = git('status', '--porcelain', '--untracked-files=no') === '';
    return `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

/** One line per figure; figures of a contestant or a check under its heading. */
function table(document: Record<string, unknown>, indent = ''): string {
  return Object.entries(document)
    .map(([key, value]) => {
      const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
      const isFlat = isGroup && Object.values(value).every((entry) => typeof entry !== 'object');
      if (isGroup && !isFlat)
        return `${indent}${key}\n${table(value as Record<string, unknown>, `${indent}  `)}`;
      const shown = isFlat
        ? Object.entries(value as object)
            .map(([name, entry]) => `${name} ${entry}`)
            .join(' · ')
        : Array.isArray(value)
          ? value.map((entry) => JSON.stringify(entry)).join(', ')
          : String(value);
      return `${indent}${key.padEnd(Math.max(0, 34 - indent.length))} ${shown}`;
    })
    .join('\n');
}
