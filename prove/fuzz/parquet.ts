/** Imports of Parquet files through DuckDB. */
import { join } from 'node:path';
import { Database, literal } from '../../src/data/import/duckdb.js';
import { type Case, caseFrom } from './case.js';
import { IMPORT_SOURCES, useImport } from './import-target.js';
import { inFolder } from './seed.js';
import type { Target } from './target.js';

const target: Target = {
  name: 'parquet',
  sources: IMPORT_SOURCES,
  seeds: async () => [
    await made("SELECT 1 AS user_id, 'a' AS item_id, 100 AS time UNION ALL SELECT 1, 'b', 101", ''),
    await made(
      "SELECT i % 5 AS user_id, 'item ' || (i % 7) AS item_id, TIMESTAMP '2024-05-01' + INTERVAL (i) MINUTE AS time, i / 3 AS rating FROM range(60) t(i)",
      ', COMPRESSION zstd',
    ),
  ],
  read: (folder) => useImport(folder, { interactions: 'events.parquet' }),
};
export default target;

function made(query: string, options: string): Promise<Case> {
  return inFolder(async (folder) => {
    const path = join(folder, 'events.parquet');
    await Database.use((database) =>
      database.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet${options})`),
    );
    return caseFrom(folder, ['events.parquet']);
  });
}
