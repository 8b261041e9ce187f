/**
 * Reads a CSV, TSV, JSON lines or Parquet file into a DuckDB table of texts, and keeps count of what
 * could not be read.
 */
import { existsSync, statSync } from 'node:fs';
import { mismatch } from '../errors/index.js';
import { type Database, identifier, literal } from './duckdb.js';
import { findRecordLines } from './record-lines.js';
import { findTextLayout, type TextLayout, type TextOptions } from './text-layout.js';

/** Kinds of files that can be imported. */
export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'parquet';

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
    private readonly text?: TextLayout,
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
    if (format === 'csv' || format === 'tsv') {
      const text = await findTextLayout(path, format, options);
      return new ImportTable(path, format, text.columns, database, name, text);
    }
    const columns = await readColumns(database, path, format);
    return new ImportTable(path, format, columns, database, name);
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
        : tableFunction(this.path, this.text, this.name);
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
        : tableFunction(this.path, this.text);
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
    if (this.text === undefined) return 0;
    return this.database.number(
      `SELECT count(DISTINCT line_byte_position) FROM ${this.name}_rejects`,
    );
  }

  /** The first rejected rows and the given faults of taken rows, with lines, in file order. */
  async locate(taken: readonly RowFault[], limit: number): Promise<BadRow[]> {
    if (this.text === undefined)
      return taken.slice(0, limit).map(({ place, expected, got }) => ({
        where:
          this.format === 'jsonl' ? `${this.path}:${place + 1}` : `${this.path}: row ${place + 1}`,
        expected,
        got,
      }));
    const rejects = await this.database.rows(
      // Where blank lines or a carriage return precede a rejected record, DuckDB counts them to it.
      `SELECT line_byte_position - 1 + coalesce(min(length(csv_line) - length(ltrim(csv_line, chr(13) || chr(10)))), 0), min(error_type), min(error_message), min(csv_line)
       FROM ${this.name}_rejects GROUP BY line_byte_position ORDER BY line_byte_position`,
    );
    const lines = await findRecordLines(this.path, {
      taken: taken.map(({ place }) => place),
      rejected: rejects.map(([offset]) => Number(offset)),
      hasHeader: this.text.hasHeader,
      isLatin1: this.text.encoding === 'latin-1',
      quote: this.text.quote === '' ? undefined : this.text.quote.charCodeAt(0),
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
function tableFunction(path: string, text: TextLayout | undefined, name?: string): string {
  if (text === undefined) return `read_parquet(${literal(path)})`;
  // Nothing is left to DuckDB's guessing, which takes a file with a few broken rows for another kind.
  const columns = text.columns.map((column) => `${literal(column)}: 'VARCHAR'`);
  const settings = [
    literal(path),
    'auto_detect = false',
    `columns = {${columns.join(', ')}}`,
    `header = ${text.hasHeader}`,
    `encoding = ${literal(text.encoding)}`,
    `delim = ${literal(text.delimiter)}`,
    `quote = ${literal(text.quote)}`,
    `escape = ${literal(text.quote)}`,
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
): Promise<string[]> {
  const sql =
    format === 'jsonl'
      ? `SELECT DISTINCT unnest(json_keys(line)) AS key FROM (SELECT line FROM ${jsonLines(path)} WHERE json_type(TRY_CAST(line AS JSON)) = 'OBJECT' LIMIT 1000) ORDER BY key`
      : `SELECT column_name FROM (DESCRIBE SELECT * FROM ${tableFunction(path, undefined)})`;
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
