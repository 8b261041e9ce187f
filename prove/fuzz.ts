/**
 * Hostile files: every reader against mutants of valid files, in processes of their own.
 *
 * Promise: no input kills the process, none takes over ten seconds, memory stays within a multiple of the
 * file's size plus a constant, and every refusal is an IloraError that names the file and what was wrong in
 * it. What a reader accepts is used. Inputs that reach new code of a reader are kept and mutated again.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inFolder } from '../harness/index.js';
import { type BoundaryFindings, fuzzBoundary } from './boundary.js';
import type { Failure, HeavyFigure, Job, JobResult } from './fuzz/child.js';
import { type Coverage, mergeCoverage, summarizeCoverage } from './fuzz/coverage.js';
import { runJobs } from './fuzz/pool.js';
import { type Findings, type ProofOptions, prove } from './proof.js';

/** Inputs per reader: DuckDB opens a database for each of its inputs, which takes some milliseconds. */
const COUNTS: Readonly<Record<string, { quick: number; full: number; shards: number }>> = {
  safetensors: { quick: 300, full: 14_000, shards: 2 },
  sharded: { quick: 150, full: 10_000, shards: 2 },
  config: { quick: 150, full: 10_000, shards: 2 },
  gguf: { quick: 200, full: 12_000, shards: 2 },
  'gguf-tokenizer': { quick: 150, full: 10_000, shards: 2 },
  tokenizer: { quick: 150, full: 10_000, shards: 2 },
  settings: { quick: 150, full: 9_000, shards: 2 },
  dataset: { quick: 150, full: 9_000, shards: 2 },
  adapter: { quick: 120, full: 7_000, shards: 2 },
  run: { quick: 80, full: 4_000, shards: 2 },
  checkpoint: { quick: 120, full: 6_000, shards: 2 },
  published: { quick: 150, full: 9_000, shards: 2 },
  csv: { quick: 15, full: 800, shards: 2 },
  jsonl: { quick: 10, full: 500, shards: 1 },
  parquet: { quick: 10, full: 500, shards: 1 },
};
/** Memory that reading may take: this many times the files' bytes, plus a constant. */
const GROWTH = {
  multiple: 64,
  constantBytes: 128 << 20,
  /** DuckDB keeps blocks and rejected rows; what it takes in all is bounded by its own limit. */
  importConstantBytes: 256 << 20,
};
const IMPORTS = ['csv', 'jsonl', 'parquet'];

async function run({ isQuick, seed, note }: ProofOptions, work: string): Promise<Findings> {
  const keep = mkdtempSync(join(tmpdir(), 'ilora-fuzz-found-'));
  const only = process.env.FUZZ_ONLY?.split(',');
  const results: JobResult[] = [];
  const deaths = await runJobs(jobsOf(isQuick, seed, only), {
    size: Math.min(isQuick ? 2 : availableParallelism(), 4),
    work,
    keep,
    onDone: (result) => {
      results.push(result);
      note(
        `${result.target}${result.heavy.length > 0 ? ' memory' : ''}: ${result.tried} inputs in ${result.seconds.toFixed(1)} s, ${result.failures.length} kinds of failure`,
      );
    },
  });
  const engine = await wrongCalls(isQuick, seed, only);
  const found = merge([...deaths, ...results.flatMap(({ failures }) => failures)]);
  const heavy = results.flatMap((result) => result.heavy);
  const failures = [
    ...found.map(describe),
    ...heavy.flatMap(tooMuch),
    ...(engine?.failures ?? []).map((line) => `engine: ${line}`),
  ];
  if (found.length === 0) rmSync(keep, { recursive: true });
  return {
    ok: failures.length === 0,
    failures,
    inputs: sum(results.map(({ tried }) => tried)),
    accepted: sum(results.map(({ accepted }) => accepted)),
    signals: deaths.filter(({ kind }) => kind === 'signal').length,
    hangs: deaths.filter(({ kind }) => kind === 'hang').length,
    slowestMs: Math.round(Math.max(...results.map(({ slowestMs }) => slowestMs))),
    readers: perReader(results),
    memory: memoryOf(heavy),
    growth: GROWTH,
    engine: engine && {
      calls: engine.calls,
      refused: engine.refused,
      processes: engine.processes,
      peakMb: engine.peakMb,
    },
  };
}

/** Wrong types, shapes and numbers at the engine itself, behind all readers. */
async function wrongCalls(
  isQuick: boolean,
  seed: number,
  only: readonly string[] | undefined,
): Promise<BoundaryFindings | undefined> {
  if (only !== undefined && !only.includes('engine')) return undefined;
  return fuzzBoundary({ calls: isQuick ? 1000 : 40_000, seed });
}

function jobsOf(
  isQuick: boolean,
  seed: number,
  only: readonly string[] | undefined,
): Omit<Job, 'folder' | 'keep'>[] {
  return Object.entries(COUNTS)
    .filter(([target]) => only === undefined || only.includes(target))
    .flatMap(([target, { quick, full, shards }]) => {
      if (isQuick) return [{ target, seed, shard: 0, count: quick }];
      if (process.env.FUZZ_HEAVY !== undefined)
        return [{ target, seed, shard: 0, count: 0, isHeavy: true }];
      const count = Math.ceil(full / shards);
      const parts = Array.from({ length: shards }, (_, shard) => ({ target, seed, shard, count }));
      return [...parts, { target, seed, shard: 0, count: 0, isHeavy: true }];
    });
}

/** One line per reader. */
function perReader(results: readonly JobResult[]): Record<string, unknown> {
  const names = [...new Set(results.map(({ target }) => target))];
  return Object.fromEntries(
    names.map((name) => {
      const own = results.filter(({ target, heavy }) => target === name && heavy.length === 0);
      const coverage: Coverage = new Map();
      for (const result of own) mergeCoverage(coverage, result.coverage);
      const { blocks, blocksReached, codeShare, neverEntered } = summarizeCoverage(coverage);
      const refused: Record<string, number> = {};
      for (const result of own)
        for (const [code, count] of Object.entries(result.refused))
          refused[code] = (refused[code] ?? 0) + count;
      const seconds = sum(own.map((result) => result.seconds));
      const inputs = sum(own.map(({ tried }) => tried));
      return [
        name,
        {
          inputs,
          accepted: sum(own.map(({ accepted }) => accepted)),
          refused,
          perSecond: Math.round(inputs / seconds),
          slowestMs: Math.round(Math.max(...own.map(({ slowestMs }) => slowestMs))),
          growthMiB: Math.round(Math.max(...own.map(({ growthBytes }) => growthBytes)) / (1 << 20)),
          kept: sum(own.map(({ kept }) => kept)),
          blocks: `${blocksReached} of ${blocks}`,
          codeShare: Math.round(codeShare * 1000) / 1000,
          neverEntered,
        },
      ];
    }),
  );
}

function memoryOf(heavy: readonly HeavyFigure[]): unknown[] {
  return heavy.map(({ target, name, fileBytes, growthBytes, seconds, outcome }) => ({
    reader: target,
    input: name,
    fileMiB: Math.round((fileBytes / (1 << 20)) * 100) / 100,
    growthMiB: Math.round(growthBytes / (1 << 20)),
    seconds: Math.round(seconds * 10) / 10,
    outcome,
  }));
}

function tooMuch({ target, name, fileBytes, growthBytes }: HeavyFigure): string[] {
  const constant = IMPORTS.includes(target) ? GROWTH.importConstantBytes : GROWTH.constantBytes;
  const most = constant + GROWTH.multiple * fileBytes;
  if (growthBytes <= most) return [];
  return [
    `${target}: ${name}: expected at most ${most >> 20} MiB for a file of ${fileBytes} bytes, got ${growthBytes >> 20} MiB`,
  ];
}

/** Failures of the same text and reader, once. */
function merge(failures: readonly Failure[]): Failure[] {
  const merged = new Map<string, Failure>();
  for (const failure of failures) {
    const key = `${failure.target} ${failure.text}`;
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { ...failure });
    else known.times += failure.times;
  }
  return [...merged.values()];
}

function describe({ target, text, stack, times, reproducer }: Failure): string {
  const frames = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => line.trim().replace(/file:\/\/\S*?\/(src|node_modules|prove)\//g, '$1/'));
  return `${target}: ${text} (${times} times, kept in ${reproducer}) ${frames.join(' < ')}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

// In memory where there is such a folder: tens of thousands of small files are written.
const root = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
await prove('fuzz', (options) => inFolder('fuzz', (work) => run(options, work), root));
