/**
 * Imports, sorts, opens and checks: the parts `prove:import` is made of.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ROOT, round } from '../../harness/index.js';
import { type Counts, expectedCounts, misplacedRows } from './expected.js';
import { shapeOf } from './generate.js';
import { type Measured, measure } from './measure.js';

const INSTANCES = 10_000;

/** The promise, for every process that imports or opens. */
export const MOST_MB = 2000;

export type Times = Omit<Measured, 'stdout'>;

/** One file, imported and sorted in turns. */
export interface Comparison {
  interactions: number;
  users: number;
  items: number;
  format: 'parquet' | 'csv';
  fileMb: number;
  imports: Times[];
  sorts: Times[];
  /** Best import over best sort: on a shared machine the rest of a time is that of others. */
  ratio: number;
  cpuRatio: number;
  peakMb: number;
}

/** The parts that measure; what is wrong goes to `failures`. */
export class Work {
  threads = 0;

  constructor(
    private readonly connection: DuckDBConnection,
    private readonly folder: string,
    private readonly rounds: (size: number) => number,
    private readonly note: (text: string) => void,
    private readonly failures: string[],
  ) {}

  /** Imports and sorts in turns, and compares what was imported with what SQL says. */
  async compare(size: number, format: 'parquet' | 'csv'): Promise<Comparison> {
    const file = join(this.folder, `data.${format}`);
    const imports: Times[] = [];
    const sorts: Times[] = [];
    for (let round = 0; round < this.rounds(size); round++) {
      sorts.push(await this.sort(file));
      imports.push(await this.import(file, join(this.folder, 'dataset')));
      const [sort, own] = [sorts.at(-1)!, imports.at(-1)!];
      this.note(
        `${size} as ${format}: import ${own.seconds} s, ${own.peakMb} MB; sort alone ${sort.seconds} s`,
      );
    }
    await this.check(size, format);
    const peakMb = Math.max(...imports.map((one) => one.peakMb));
    if (peakMb > MOST_MB)
      this.failures.push(`${size} as ${format}: expected at most ${MOST_MB} MB, got ${peakMb}`);
    return {
      ...shapeOf(size),
      format,
      fileMb: hundredths(statSync(file).size / 1e6),
      imports,
      sorts,
      ratio: hundredths(best(imports, 'seconds') / best(sorts, 'seconds')),
      cpuRatio: hundredths(best(imports, 'cpuSeconds') / best(sorts, 'cpuSeconds')),
      peakMb,
    };
  }

  /** Opens the dataset imported last and draws instances. */
  async open(size: number, seed: number): Promise<object> {
    const args = ['prove/import/open-dataset.ts', join(this.folder, 'dataset')];
    const { stdout, ...all } = await this.node([...args, String(INSTANCES), String(seed)]);
    const found = JSON.parse(stdout) as Record<string, number>;
    if (found.faults !== 0)
      this.failures.push(`${size}: expected good instances, got ${found.faults} that are not`);
    if (all.peakMb > MOST_MB)
      this.failures.push(`${size} opened: expected at most ${MOST_MB} MB, got ${all.peakMb}`);
    this.note(`${size} opened: ${stdout.trim()}, ${all.peakMb} MB`);
    const { openSeconds, drawSeconds, instances } = found;
    return {
      interactions: size,
      openSeconds: hundredths(openSeconds!),
      drawSeconds: hundredths(drawSeconds!),
      instances,
      peakMb: all.peakMb,
    };
  }

  /** The rule with the most rows that have frozen candidates: all windows after the cuts. */
  async byTime(size: number, seed: number): Promise<object> {
    const dataset = join(this.folder, 'dataset');
    const imported = await this.import(join(this.folder, 'data.parquet'), dataset, [
      '--split',
      'by-time',
    ]);
    const { rows } = this.counts();
    if (imported.peakMb > MOST_MB)
      this.failures.push(`${size} by time: expected at most ${MOST_MB} MB, got ${imported.peakMb}`);
    const candidates = ['validation', 'test', 'test-wide'].map(
      (split) => statSync(join(dataset, 'candidates', `${split}.tsv`)).size,
    );
    return {
      ...imported,
      rows,
      candidatesMb: hundredths(candidates.reduce((sum, bytes) => sum + bytes, 0) / 1e6),
      opened: await this.open(size, seed),
    };
  }

  private async check(size: number, format: string): Promise<void> {
    const file = join(this.folder, 'data.parquet');
    const expected = await expectedCounts(this.connection, file);
    const got = this.counts();
    if (!isDeepStrictEqual(got, expected))
      this.failures.push(
        `${size} as ${format}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
      );
    const misplaced = await misplacedRows(this.connection, file, join(this.folder, 'dataset'));
    if (misplaced > 0)
      this.failures.push(
        `${size} as ${format}: expected SQL's order, got ${misplaced} other interactions`,
      );
  }

  private counts(): Counts {
    const path = join(this.folder, 'dataset', 'manifest.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { counts: Counts }).counts;
  }

  private async import(file: string, out: string, more: readonly string[] = []): Promise<Times> {
    rmSync(out, { recursive: true, force: true });
    const args = ['bin/ilora.js', 'data', 'import', file, '--out', out, '--json', ...more];
    return timesOf(await measure(args, ROOT));
  }

  private async sort(file: string): Promise<Times> {
    const out = join(this.folder, 'sorted.parquet');
    const { stdout, ...all } = await this.node(['prove/import/sort-alone.ts', file, out]);
    const { seconds, threads } = JSON.parse(stdout) as { seconds: number; threads: number };
    this.threads = threads;
    rmSync(out);
    return { ...all, seconds: hundredths(seconds) };
  }

  private async node(args: readonly string[]): Promise<Measured> {
    const measured = await measure(['--import', 'tsx', ...args], ROOT);
    return { ...timesOf(measured), stdout: measured.stdout };
  }
}

function timesOf({ seconds, cpuSeconds, peakMb }: Measured): Times {
  return {
    seconds: hundredths(seconds),
    cpuSeconds: hundredths(cpuSeconds),
    peakMb: Math.round(peakMb),
  };
}

export function best(all: readonly Times[], key: keyof Times): number {
  return Math.min(...all.map((one) => one[key]));
}

const hundredths = (value: number): number => round(value, 2);
