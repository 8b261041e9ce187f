/**
 * Reads a CSV, TSV, JSON lines or Parquet file into a DuckDB table of texts, and keeps count of what
 * could not be read.
 */
import { existsSync, statSync } from 'node:fs';
import { mismatch } from '../errors/index.js';
import { type Database, identifier, literal } from './duckdb.js';
import { findRecordLines } from './record-lines.js';

/** Kinds of files that can be imported. */
export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'parquet';

/** How a text file is written; all are found out when left out. */
export interface TextOptions {
  /** What separates fields; `::` is possible. */
  delimiter?: string;
  /** Quote character; an empty text for none. */
  quote?: string;
  /** False if the first line is a row; columns then go by number, from 1. */
  hasHeader?: boolean;
  encoding?: 'utf-8' | 'latin-1';
}

/** A row that was not taken. */
export interface BadRow {
  /** `file:line`, or `file: row n` where a format has no lines. */
  where: string;
  expected: string;
  got: string;
}

/** A row that was not taken, before its line is known. */
export interface RowFault {
  /** Number of the row in the table, from 0. */
  place: number;
  expected: string;
  got: string;
}

/** A file of rows with named columns. */
export class ImportTable {
  private constructor(
    readonly path: string,
    readonly format: TableFormat,
    readonly columns: readonly string[],
    private readonly database: Database,
    private readonly name: string,
    private readonly options: TextOptions,
  ) {}

  /**
   * Finds out format and columns.
   *
   * @param name  of the table to be, such as `interactions`
   * @throws IloraError `file` if it is missing or of another kind
   */
  static async open(
    database: Database,
    name: string,
    path: string,
    options: TextOptions = {},
  ): Promise<ImportTable> {
    if (!existsSync(path) || !statSync(path).isFile())
      throw mismatch('file', {
        where: path,
        expected: 'a file of rows',
        got: existsSync(path) ? 'a folder' : 'no such file',
      });
    const format = formatOf(path);
    const columns = await readColumns(database, path, format, options);
    return new ImportTable(path, format, columns, database, name, options);
  }

  /**
   * Reads the file into a table `<name>_raw` with a text column per entry of `columns`. Its rowid is
   * the order of the rows in the file.
   */
  async load(columns: Record<string, string | undefined>): Promise<void> {
    const fields = Object.entries(columns).map(
      ([alias, column]) =>
        `${column === undefined ? 'NULL::VARCHAR' : this.field(column)} AS ${identifier(alias)}`,
    );
    const fault =
      this.format === 'jsonl'
        ? `CASE WHEN trim(line) <> '' AND coalesce(json_type(TRY_CAST(line AS JSON)), '') <> 'OBJECT' THEN line END`
        : 'NULL::VARCHAR';
    const source =
      this.format === 'jsonl'
        ? jsonLines(this.path)
        : tableFunction(this.path, this.format, this.options, this.name);
    await this.database.run(
      `CREATE TABLE ${this.name}_raw AS SELECT ${fields.join(', ')}, ${fault} AS broken${this.format === 'jsonl' ? ", line IS NULL OR trim(line) = '' AS blank" : ', false AS blank'} FROM ${source}`,
      this.path,
    );
  }

  /** First rows as texts, for a preview. */
  async preview(count: number): Promise<Record<string, string | null>[]> {
    const fields = this.columns.map((column) => `${this.field(column)} AS ${identifier(column)}`);
    const source =
      this.format === 'jsonl'
        ? `${jsonLines(this.path)} WHERE json_valid(line)`
        : tableFunction(this.path, this.format, this.options);
    const rows = await this.database.rows(
      `SELECT ${fields.join(', ')} FROM ${source} LIMIT ${count}`,
      this.path,
    );
    return rows.map((row) =>
      Object.fromEntries(this.columns.map((column, i) => [column, row[i] as string | null])),
    );
  }

  /** Number of rows that DuckDB's CSV reader rejected. */
  async countRejected(): Promise<number> {
    if (!this.hasRejects) return 0;
    return this.database.number(
      `SELECT count(DISTINCT line_byte_position) FROM ${this.name}_rejects`,
    );
  }

  /** The first rejected rows and the given faults of taken rows, with lines, in file order. */
  async locate(taken: readonly RowFault[], limit: number): Promise<BadRow[]> {
    if (!this.hasRejects)
      return taken.slice(0, limit).map(({ place, expected, got }) => ({
        where:
          this.format === 'jsonl' ? `${this.path}:${place + 1}` : `${this.path}: row ${place + 1}`,
        expected,
        got,
      }));
    const rejects = await this.database.rows(
      `SELECT line_byte_position - 1, min(error_type), min(error_message), min(csv_line)
       FROM ${this.name}_rejects GROUP BY 1 ORDER BY 1`,
    );
    const lines = await findRecordLines(this.path, {
      taken: taken.map(({ place }) => place),
      rejected: rejects.map(([offset]) => Number(offset)),
      hasHeader: this.options.hasHeader !== false,
      quote: (this.options.quote ?? '"').charCodeAt(0) || undefined,
    });
    const found = [
      ...rejects.map(([offset, type, message, text]) => ({
        line: lines.byRejected.get(Number(offset)),
        ...describeReject(String(type), String(message), String(text), this.columns.length),
      })),
      ...taken.map(({ place, expected, got }) => ({
        line: lines.byTaken.get(place),
        expected,
        got,
      })),
    ];
    return found
      .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
      .slice(0, limit)
      .map(({ line, expected, got }) => ({ where: `${this.path}:${line ?? '?'}`, expected, got }));
  }

  private get hasRejects(): boolean {
    return this.format === 'csv' || this.format === 'tsv';
  }

  private field(column: string): string {
    if (this.format === 'jsonl')
      return `TRY_CAST(line AS JSON) ->> ${literal(`$."${column.replaceAll('"', '\\"')}"`)}`;
    return `CAST(${identifier(column)} AS VARCHAR)`;
  }
}

function formatOf(path: string): TableFormat {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  if (/\.(csv|txt|dat|data|item)$/.test(name)) return 'csv';
  if (/\.(tsv|tab|inter)$/.test(name)) return 'tsv';
  if (/\.(jsonl|ndjson)$/.test(name)) return 'jsonl';
  if (/\.(parquet|pq)$/.test(name)) return 'parquet';
  throw mismatch('usage', {
    where: path,
    expected: 'a name that ends in .csv, .tsv, .txt, .jsonl, .ndjson or .parquet (.gz after text)',
    got: path.slice(path.lastIndexOf('.') + 1),
  });
}

/** The table function that reads a file; with a name, rejected rows go to `<name>_rejects`. */
function tableFunction(
  path: string,
  format: TableFormat,
  { delimiter, quote, hasHeader = true, encoding = 'utf-8' }: TextOptions,
  name?: string,
): string {
  if (format === 'parquet') return `read_parquet(${literal(path)})`;
  const separator = delimiter ?? (format === 'tsv' ? '\t' : undefined);
  const marks = quote ?? (format === 'csv' ? '"' : undefined);
  const settings = [
    literal(path),
    'all_varchar = true',
    `header = ${hasHeader}`,
    `encoding = ${literal(encoding)}`,
    ...(separator === undefined ? [] : [`delim = ${literal(separator)}`]),
    ...(marks === undefined ? [] : [`quote = ${literal(marks)}`, `escape = ${literal(marks)}`]),
    ...(name === undefined
      ? ['ignore_errors = true']
      : [
          'store_rejects = true',
          'rejects_limit = 0',
          `rejects_table = '${name}_rejects'`,
          `rejects_scan = '${name}_scan'`,
        ]),
  ];
  return `read_csv(${settings.join(', ')})`;
}

/** Lines of a file as rows with a column `line`; blank lines are rows too, so numbers are right. */
function jsonLines(path: string): string {
  return `read_csv(${literal(path)}, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '', null_padding = true, max_line_size = 16777216)`;
}

async function readColumns(
  database: Database,
  path: string,
  format: TableFormat,
  options: TextOptions,
): Promise<string[]> {
  const sql =
    format === 'jsonl'
      ? `SELECT DISTINCT unnest(json_keys(line)) AS key FROM (SELECT line FROM ${jsonLines(path)} WHERE json_type(TRY_CAST(line AS JSON)) = 'OBJECT' LIMIT 1000) ORDER BY key`
      : `SELECT column_name FROM (DESCRIBE SELECT * FROM ${tableFunction(path, format, options)})`;
  const columns = (await database.rows(sql, path)).map(([name]) => String(name));
  if (columns.length === 0)
    throw mismatch('format', { where: path, expected: 'rows with named columns', got: 'none' });
  return columns;
}

function describeReject(
  type: string,
  message: string,
  text: string,
  columns: number,
): { expected: string; got: string } {
  const got = /Found: (\d+)/.exec(message)?.[1];
  if (/COLUMNS/.test(type) && got !== undefined)
    return { expected: `${columns} fields`, got: `${got} in ${JSON.stringify(text.trim())}` };
  return {
    expected: 'a row that can be read',
    got: `${type.toLowerCase()} in ${JSON.stringify(text.trim())}`,
  };
}
