/**
 * A look into a file before it is imported.
 */

import {
  type AttributeColumn,
  type AttributeInfo,
  attributeColumns,
  readAttribute,
} from '../attribute.js';
import { type ColumnMap, guessColumns } from './columns.js';
import { Database } from './duckdb.js';
import { ImportTable } from './table.js';
import type { TextOptions } from './text-layout.js';

/** Columns, guesses and first rows of a file. */
export interface TablePreview {
  columns: readonly string[];
  /** Meanings guessed from common names. */
  guessed: ColumnMap;
  /** Columns that an import would keep as attributes, of a file that has titles; types as the first rows tell. */
  attributes: readonly (AttributeInfo & AttributeColumn)[];
  /** Values in the order of `columns`. */
  rows: (string | null)[][];
}

/** Reads the first rows of a CSV, TSV, JSON lines or Parquet file. */
export async function previewTable(
  path: string,
  count = 5,
  options: TextOptions = {},
): Promise<TablePreview> {
  return Database.use(async (database) => {
    const table = await ImportTable.open(database, 'preview', path, options);
    const sample = await table.preview(Math.max(count, SAMPLE));
    const { columns } = table;
    const guessed = guessColumns(columns);
    const attributes = guessAttributes(path, { columns, guessed, sample });
    return { columns, guessed, attributes, rows: sample.slice(0, count) };
  });
}

/** Rows that the types of attributes are told from. */
const SAMPLE = 1000;

function guessAttributes(
  path: string,
  {
    columns,
    guessed: { itemId, itemTitle },
    sample,
  }: { columns: readonly string[]; guessed: ColumnMap; sample: readonly (string | null)[][] },
): TablePreview['attributes'] {
  if (itemId === undefined || itemTitle === undefined) return [];
  return attributeColumns(path, columns, { taken: [itemId, itemTitle] }).map((each) => {
    const place = columns.indexOf(each.column);
    const { type } = readAttribute(sample.map((row) => row[place] ?? null));
    return { ...each, type };
  });
}
