/**
 * A look into a file before it is imported.
 */

import { type ColumnMap, guessColumns } from './columns.js';
import { Database } from './duckdb.js';
import { ImportTable } from './table.js';
import type { TextOptions } from './text-layout.js';

/** Columns, guesses and first rows of a file. */
export interface TablePreview {
  columns: readonly string[];
  /** Meanings guessed from common names. */
  guessed: ColumnMap;
  rows: Record<string, string | null>[];
}

/** Reads the first rows of a CSV, TSV, JSON lines or Parquet file. */
export async function previewTable(
  path: string,
  count = 5,
  options: TextOptions = {},
): Promise<TablePreview> {
  return Database.use(async (database) => {
    const table = await ImportTable.open(database, 'preview', path, options);
    const rows = await table.preview(count);
    return { columns: table.columns, guessed: guessColumns(table.columns), rows };
  });
}
