/**
 * What an import is measured against: DuckDB reads a file, sorts it by user and time, and writes it.
 *
 *   node --import tsx prove/import/sort-alone.ts FILE OUT
 *
 * With all settings as DuckDB has them by default: all cores, four fifths of the memory. The result goes to
 * a Parquet file, since an import writes one too (and a sort whose result is only counted is left out).
 */
import { statSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [file = '', out = ''] = process.argv.slice(2);
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const started = performance.now();
await connection.run(
  `COPY (SELECT * FROM '${file}' ORDER BY user_id, timestamp) TO '${out}' (FORMAT parquet)`,
);
const seconds = (performance.now() - started) / 1000;
const [[threads] = []] = (
  await connection.runAndReadAll(`SELECT current_setting('threads')`)
).getRows();
console.log(JSON.stringify({ seconds, threads: Number(threads), bytes: statSync(out).size }));
