/**
 * What `bench:load`, `bench:growth` and `bench:sasrec` share: flags, progress, and the document they end with.
 *
 *   npm run --silent bench:NAME [-- --quick] [--json] [--rounds N] [--result FILE]
 *
 * `--quick` does the same with less, in under a minute. `--json` makes the last line of stdout one object; without
 * it the object is printed readably. `--result` also writes it. Exit code 0 if all checks held, 1 if not, 2 for wrong usage.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { engineAdditions } from '../bin/environment.js';
import { engineInfo, processorName } from '../src/tensor/index.js';

export const ROOT = resolve(import.meta.dirname, '..');

export interface MeasurementOptions {
  isQuick: boolean;
  rounds: number;
  /** Dataset folder of MovieLens-100K. */
  data: string;
  /** Base model, by name or path. */
  base: string;
  /** Longest history, where one is trained on. */
  length: number;
  /** Python with the peer's packages; absent with `--no-peers`. */
  python?: string;
  /** Folder for figures, where they are wanted. */
  figures?: string;
  /** A folder that is removed at the end. */
  work: string;
  /** One line of progress on stderr. */
  note: (text: string) => void;
}

/** What was found; with a failure the figures mean nothing. */
export interface Findings {
  failures: string[];
  [figure: string]: unknown;
}

/** Runs a measurement as a command. */
export async function measurement(
  name: string,
  defaults: { rounds: number; quickRounds: number },
  run: (options: MeasurementOptions) => Promise<Findings>,
): Promise<void> {
  const flags = readFlags(name);
  const usual = flags.quick ? defaults.quickRounds : defaults.rounds;
  const rounds = countOf(name, 'rounds', flags.rounds ?? String(usual));
  const work = mkdtempSync(join(tmpdir(), `ilora-bench-${name}-`));
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(130));
  const { failures, ...figures } = await run({
    isQuick: flags.quick,
    rounds,
    data: resolve(flags.data),
    base: flags.base,
    length: countOf(name, 'length', flags.length),
    ...(flags.figures !== undefined && { figures: resolve(flags.figures) }),
    ...(!flags['no-peers'] && {
      python: flags.python ?? (process.env.ILORA_BENCH_PYTHON || 'python3'),
    }),
    work,
    note: (text) => process.stderr.write(`${text}\n`),
  });
  const document = {
    bench: name,
    ok: failures.length === 0,
    quick: flags.quick,
    rounds,
    ...figures,
    failures,
    ...place(),
  };
  if (flags.result !== undefined) {
    mkdirSync(dirname(flags.result), { recursive: true });
    writeFileSync(flags.result, `${JSON.stringify(document, null, 2)}\n`);
  }
  console.log(flags.json ? JSON.stringify(document) : JSON.stringify(document, null, 2));
  process.exitCode = document.ok ? 0 : 1;
}

function readFlags(name: string) {
  const options = {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    result: { type: 'string' },
    figures: { type: 'string' },
    data: { type: 'string', default: join(ROOT, 'runs', 'movielens', 'data') },
    base: { type: 'string', default: 'smollm2-135m' },
    length: { type: 'string', default: '50' },
    python: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return exit(name, `${(error as Error).message}\nflags: --${Object.keys(options).join(' --')}`);
  }
}

function countOf(name: string, flag: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  return exit(name, `--${flag}: expected a whole number from 1, got ${text}`);
}

function exit(name: string, text: string): never {
  process.stderr.write(`bench:${name}: ${text}\n`);
  process.exit(2);
}

/** The environment in which our launcher starts processes that compute. */
export function launcherEnvironment(): NodeJS.ProcessEnv {
  return { ...engineAdditions(), ...process.env };
}

/** Arguments of Node for one of our TypeScript programs. */
export function program(path: string, ...args: string[]): string[] {
  return ['--import', 'tsx', path, ...args];
}

function place() {
  return {
    machine: processorName(),
    threads: engineInfo().threads,
    versions: { node: process.version, libtorch: engineInfo().libtorch.version },
    commit: commit(),
    date: new Date().toISOString(),
  };
}

function commit(): string {
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

/** The middle of what was measured, with its ends. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @throws RangeError if there is nothing to take the middle of */
export function spread(values: readonly number[], digits = 4): Spread {
  if (values.length === 0) throw new RangeError('spread: expected at least one value, got none');
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] as number;
  const middle = (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2;
  const [median, min, max] = [middle, at(0), at(sorted.length - 1)].map((value) =>
    Number(value.toPrecision(digits)),
  ) as [number, number, number];
  return { median, min, max };
}
