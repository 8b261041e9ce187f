/**
 * Proves: an import takes bounded memory, and time in proportion to what DuckDB needs to read and sort.
 *
 *   npm run --silent prove:import [-- --quick] [--json] [--seed N] [--result FILE]
 *
 * Interactions are generated once per size, as Parquet and CSV. Then, in turns, `ilora data import` runs as a
 * user runs it (the whole command: launcher, import, splits, candidates, files made durable) and DuckDB alone
 * reads, sorts and writes the same file (the statement only, without the start of its process). What the
 * import wrote is compared with what SQL says; the dataset is opened and instances are drawn from it; a split
 * by time, which has the most rows with frozen candidates, is measured too.
 */
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { inFolder, round, slope } from '../harness/index.js';
import { generate, shapeOf } from './import/generate.js';
import { best, type Comparison, MOST_MB, Work } from './import/work.js';
import { type Findings, type ProofOptions, prove } from './proof.js';

const LONG = {
  sizes: [2e6, 5e6, 10e6, 20e6],
  rounds: (size: number) => (size > 5e6 ? 2 : 3),
  csvSizes: [2e6, 20e6],
  byTimeSize: 20e6,
};
const QUICK = { sizes: [2e5, 4e5], rounds: () => 1, csvSizes: [2e5], byTimeSize: 2e5 };

/** The promise: DuckDB's own time at most three times over, both in the best of their rounds. */
const MOST_RATIO = 3;
/** In the short form the start of a process is most of the time, so only something broken exceeds this. */
const MOST_RATIO_QUICK = 100;

await prove('import', (options) => inFolder('import', (folder) => run(options, folder)));

async function run({ isQuick, seed, note }: ProofOptions, folder: string): Promise<Findings> {
  const plan = isQuick ? QUICK : LONG;
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '4GB',
    temp_directory: join(folder, 'spill'),
  });
  const connection = await instance.connect();
  const failures: string[] = [];
  const comparisons: Comparison[] = [];
  const opened: object[] = [];
  const work = new Work(connection, folder, plan.rounds, note, failures);
  let byTime: object = {};
  for (const size of plan.sizes) {
    note(`generating ${size} interactions`);
    await generate(connection, join(folder, 'data'), shapeOf(size), seed);
    for (const format of ['parquet', 'csv'] as const)
      if (format === 'parquet' || plan.csvSizes.includes(size))
        comparisons.push(await work.compare(size, format));
    if (!isQuick || size === plan.sizes.at(-1)) opened.push(await work.open(size, seed));
    if (size === plan.byTimeSize) byTime = await work.byTime(size, seed);
  }
  connection.closeSync();
  const parquet = comparisons.filter(({ format }) => format === 'parquet');
  const mostRatio = isQuick ? MOST_RATIO_QUICK : MOST_RATIO;
  const largest = plan.sizes.at(-1)!;
  for (const { interactions, format, ratio } of comparisons)
    if (interactions === largest && ratio > mostRatio)
      failures.push(
        `${interactions} as ${format}: expected at most ${mostRatio} times DuckDB's own time, got ${ratio}`,
      );
  return {
    ok: failures.length === 0,
    failures,
    comparison:
      'whole command against the statement that reads, sorts by user and time, and writes Parquet; best of rounds; processor time is that of whole processes',
    threads: work.threads,
    limits: { peakMb: MOST_MB, ratio: mostRatio, ratioAt: largest },
    comparisons,
    growth: {
      time: exponent(parquet.map((one) => [one.interactions, best(one.imports, 'seconds')])),
      cpuTime: exponent(parquet.map((one) => [one.interactions, best(one.imports, 'cpuSeconds')])),
      memory: exponent(parquet.map((one) => [one.interactions, one.peakMb])),
    },
    opened,
    byTime,
  };
}

/** The b of a · nᵇ, by least squares of the logarithms; 1 is growth in proportion. */
function exponent(points: readonly (readonly [number, number])[]): number {
  return round(slope(points.map(([n, value]) => [Math.log(n), Math.log(value)])), 2);
}
