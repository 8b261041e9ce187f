/**
 * Reads a CSV, TSV, JSON lines or Parquet file into DuckDB, and keeps count of what could not be read.
 */
import { existsSync, statSync } from 'node:fs';
import { mismatch } from '../../errors/index.js';
import { type Database, fileLiteral, identifier, literal } from './duckdb.js';
import { type FieldKind, fieldOfText, fieldOfType } from './fields.js';
import { findRecordLines } from './record-lines.js';
import {
  findTextLayout,
  refuseManyColumns,
  type TextLayout,
  type TextOptions,
} from './text-layout.js';

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
    /** DuckDB's types of the columns of a Parquet file. */
    private readonly types: readonly string[] = [],
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
    const { columns, types } = await readColumns(database, path, format);
    return new ImportTable(path, format, columns, database, name, undefined, types);
  }

  /**
   * Makes `<name>_raw`: place (order in the file, from 0), broken (a line that is no row), blank, and the
   * columns of each field (see `import-fields.ts`).
   *
   * It is a view. Parquet columns that have the right types are read from the file each time they are asked
   * for, which costs less than a copy; everything else is read once into a table.
   */
  async load(fields: Record<string, [FieldKind, string | undefined]>): Promise<void> {
    const own = this.ownFields(fields);
    if (own !== undefined)
      return this.database.run(
        `CREATE VIEW ${this.name}_raw AS SELECT file_row_number AS place, ${own.join(', ')},
           NULL::VARCHAR AS broken, false AS blank
         FROM read_parquet(${fileLiteral(this.path)}, file_row_number = true)`,
        this.path,
      );
    const columns = Object.entries(fields).flatMap(([alias, [kind, column]]) =>
      fieldOfText(alias, { kind, text: column === undefined ? undefined : this.field(column) }),
    );
    const isJson = this.format === 'jsonl';
    if (isJson)
      columns.push(
        `CASE WHEN trim(line) <> '' AND coalesce(json_type(TRY_CAST(line AS JSON)), '') <> 'OBJECT' THEN line END AS broken`,
        `line IS NULL OR trim(line) = '' AS blank`,
      );
    const source = isJson ? jsonLines(this.path) : tableFunction(this.path, this.text, this.name);
    await this.database.run(
      `CREATE TABLE ${this.name}_loaded AS SELECT ${columns.join(', ')} FROM ${source}`,
      this.path,
    );
    const rest = isJson ? '' : ', NULL::VARCHAR AS broken, false AS blank';
    await this.database.run(
      `CREATE VIEW ${this.name}_raw AS SELECT rowid AS place, *${rest} FROM ${this.name}_loaded`,
    );
  }

  /** The fields as SQL over a Parquet file, if all its columns have the right types. */
  private ownFields(fields: Record<string, [FieldKind, string | undefined]>): string[] | undefined {
    if (this.format !== 'parquet') return undefined;
    if (this.columns.some((column) => column.toLowerCase() === 'file_row_number')) return undefined;
    const own: string[] = [];
    for (const [alias, [kind, column]] of Object.entries(fields)) {
      const type = this.types[this.columns.indexOf(column ?? '')] ?? '';
      const sql = fieldOfType(alias, kind, column, type);
      if (sql === undefined) return undefined;
      own.push(...sql);
    }
    return own;
  }

  /** First rows as texts in the order of the columns, for a preview. */
  async preview(count: number): Promise<(string | null)[][]> {
    const fields = this.columns.map((column) => `${this.field(column)} AS ${identifier(column)}`);
    const source =
      this.format === 'jsonl'
        ? `${jsonLines(this.path)} WHERE json_valid(line)`
        : tableFunction(this.path, this.text);
    const rows = await this.database.rows(
      `SELECT ${fields.join(', ')} FROM ${source} LIMIT ${count}`,
      this.path,
    );
    return rows as (string | null)[][];
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
    // The byte of the fault lies in the record. Where DuckDB says the record's only: blank lines or a
    // carriage return before it count to it, and after a broken quote it may be that of the one before.
    const start = `coalesce(min(byte_position) - 1, line_byte_position - 1 + coalesce(min(length(csv_line) - length(ltrim(csv_line, chr(13) || chr(10)))), 0))`;
    const grouped = `FROM ${this.name}_rejects GROUP BY line_byte_position ORDER BY line_byte_position`;
    // Lines are counted past every rejected record, but told of the first only.
    const offsets: number[] = [];
    for await (const [column] of this.database.columns(
      `SELECT CAST(${start} AS DOUBLE) ${grouped}`,
    ))
      for (const offset of column!) offsets.push(offset as number);
    const rejects = await this.database.rows(
      `SELECT ${start}, min(error_type), min(error_message), min(csv_line) ${grouped} LIMIT ${limit}`,
    );
    const lines = await findRecordLines(this.path, {
      taken: taken.map(({ place }) => place),
      rejected: offsets,
      hasHeader: this.text.hasHeader,
      isLatin1: this.text.encoding === 'latin-1',
      quote: this.text.quote === '' ? undefined : this.text.quote.charCodeAt(0),
    });
    // Inside a line with a broken quote DuckDB may find several records, and take one: then later rows
    // have no line that could be counted.
    const isSure = new Set(lines.byRejected.values()).size === lines.byRejected.size;
    const found = [
      ...rejects.map(([offset, type, message, text]) => {
        const line = lines.byRejected.get(Number(offset));
        const place = line ?? ` byte ${offset}`;
        return {
          line,
          place,
          ...describeReject(String(type), String(message), String(text), this.columns.length),
        };
      }),
      ...taken.map(({ place: row, expected, got }) => {
        const line = isSure ? lines.byTaken.get(row) : undefined;
        return { line, place: line ?? ` row ${row + 1}`, expected, got };
      }),
    ];
    return found
      .sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
      .filter(({ line }, i) => line === undefined || line !== found[i - 1]?.line)
      .slice(0, limit)
      .map(({ place, expected, got }) => ({ where: `${this.path}:${place}`, expected, got }));
  }

  private field(column: string): string {
    if (this.format === 'jsonl')
      return `TRY_CAST(line AS JSON) ->> ${literal(`$."${column.replaceAll('"', '\\"')}"`)}`;
    // Lists and records are read as JSON, as they stand in a file of JSON lines.
    if (/\]$|^(STRUCT|MAP)\(/.test(this.types[this.columns.indexOf(column)] ?? ''))
      return `CAST(to_json(${identifier(column)}) AS VARCHAR)`;
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
  if (text === undefined) return `read_parquet(${fileLiteral(path)})`;
  // Nothing is left to DuckDB's guessing, which takes a file with a few broken rows for another kind.
  const columns = text.columns.map((column) => `${literal(column)}: 'VARCHAR'`);
  const settings = [
    fileLiteral(path),
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
  return `read_csv(${fileLiteral(path)}, columns = {'line': 'VARCHAR'}, auto_detect = false, header = false, delim = '\u0001', quote = '', escape = '', null_padding = true, max_line_size = 16777216)`;
}

async function readColumns(
  database: Database,
  path: string,
  format: TableFormat,
): Promise<{ columns: string[]; types: string[] }> {
  const sql =
    format === 'jsonl'
      ? `SELECT DISTINCT unnest(json_keys(line)) AS key, 'VARCHAR' FROM (SELECT line FROM ${jsonLines(path)} WHERE json_type(TRY_CAST(line AS JSON)) = 'OBJECT' LIMIT 1000) ORDER BY key`
      : `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${tableFunction(path, undefined)})`;
  const rows = await database.rows(sql, path);
  if (rows.length === 0)
    throw mismatch('format', { where: path, expected: 'rows with named columns', got: 'none' });
  refuseManyColumns(path, rows.length);
  return {
    columns: rows.map(([name]) => String(name)),
    types: rows.map(([, type]) => String(type)),
  };
}

function describeReject(
  type: string,
  message: string,
  text: string,
  columns: number,
): { expected: string; got: string } {
  const got = /Found: (\d+)/.exec(message)?.[1];
  if (/COLUMNS/.test(type) && got !== undefined)
    return {
      expected: `${columns} fields`,
      got: `${got} in ${JSON.stringify(text.trim().slice(0, 80))}`,
    };
  return {
    expected: 'a row that can be read',
    got: `${type.toLowerCase()} in ${JSON.stringify(text.trim().slice(0, 80))}`,
  };
}
