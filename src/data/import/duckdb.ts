/**
 * A DuckDB in memory that spills to a temporary folder and downloads nothing.
 *
 * What it holds is bounded whatever the size of the files: beyond the limit it writes to the folder.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBResult } from '@duckdb/node-api';
import { AbortError, internal, mismatch } from '../../errors/index.js';
import { removeAbandoned } from '../../files/index.js';

/**
 * Most memory DuckDB may hold, in bytes; beyond it tables go to the folder. Together with the sequences of
 * 20 million interactions (400 MB) and Node itself that stays well below 2 GB.
 */
const memoryLimit = Math.min(750e6, Math.round(totalmem() * 0.4));

/** How often a running statement is asked how far it is. */
const progressEveryMs = 500;

/** A row of a query: texts, numbers (also for whole numbers of 64 bits) and nulls. */
export type SqlRow = readonly (string | number | boolean | null)[];

/** Options of {@link Database.use}. */
export interface DatabaseOptions {
  signal?: AbortSignal | undefined;
  /** Called now and then while a statement runs, with its share done from 0 to 1. */
  onProgress?: ((share: number) => void) | undefined;
}

/** A part of a large result of numbers: an array per column, the same in every part. */
export type NumberColumns = readonly (Int32Array | Float64Array)[];

/** A connection that speaks in typed errors. */
export class Database {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly folder: string,
    private readonly options: DatabaseOptions,
  ) {}

  /** Opens a database, hands it to `work` and closes it, whatever happens. */
  static async use<T>(
    work: (database: Database) => Promise<T>,
    options: DatabaseOptions = {},
  ): Promise<T> {
    const { signal } = options;
    // An import that was killed could not remove its folder, which may hold gigabytes.
    await removeAbandoned(tmpdir(), /^ilora-import-(\d+)-/);
    const folder = await mkdtemp(join(tmpdir(), `ilora-import-${process.pid}-`));
    // Loaded here, so that only an import pays for it.
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', {
      temp_directory: folder,
      memory_limit: `${memoryLimit}B`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    const database = new Database(instance, connection, folder, options);
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      await database.run("SET TimeZone = 'UTC'");
      await database.run('SET enable_progress_bar = true');
      await database.run('SET enable_progress_bar_print = false');
      return await work(database);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      await database.close();
    }
  }

  /** Runs a statement without a result. */
  async run(sql: string, where = 'duckdb'): Promise<void> {
    await this.guard(where, () => this.connection.run(sql));
  }

  /** All rows of a small result. */
  async rows(sql: string, where = 'duckdb'): Promise<SqlRow[]> {
    const reader = await this.guard(where, () => this.connection.runAndReadAll(sql));
    return reader.getRows().map((row) => row.map(plain));
  }

  /** The first value of the first row, as a number. */
  async number(sql: string): Promise<number> {
    return Number((await this.rows(sql))[0]?.[0] ?? 0);
  }

  /** Rows of a large result, one chunk at a time, column by column. */
  async *columns(sql: string): AsyncGenerator<unknown[][]> {
    for await (const chunk of this.chunks(sql)) yield chunk.getColumns();
  }

  /**
   * Rows of a large result of numbers without nulls (INTEGER and DOUBLE), as typed arrays: no object
   * is made per row.
   */
  async *numberColumns(sql: string): AsyncGenerator<NumberColumns> {
    for await (const chunk of this.chunks(sql))
      yield Array.from({ length: chunk.columnCount }, (_, column) => {
        // The one way to the numbers without a call and a check of nulls for each of them.
        const { items } = chunk.getColumnVector(column) as unknown as { items: unknown };
        if (items instanceof Int32Array || items instanceof Float64Array) return items;
        throw internal(`expected a column of INTEGER or DOUBLE, got none as column ${column}`);
      });
  }

  private async *chunks(
    sql: string,
  ): AsyncGenerator<NonNullable<Awaited<ReturnType<DuckDBResult['fetchChunk']>>>> {
    const result = await this.guard('duckdb', () => this.connection.stream(sql));
    for (;;) {
      const chunk = await this.guard('duckdb', () => result.fetchChunk(), false);
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk;
    }
  }

  private async close(): Promise<void> {
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async guard<T>(where: string, work: () => Promise<T>, isLong = true): Promise<T> {
    const { signal, onProgress } = this.options;
    if (signal?.aborted) throw new AbortError();
    const timer =
      isLong && onProgress !== undefined
        ? setInterval(() => {
            const { percentage } = this.connection.progress;
            if (percentage >= 0) onProgress(Math.min(1, percentage / 100)); // -1: not known
          }, progressEveryMs)
        : undefined;
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw new AbortError();
      throw mismatch(
        'format',
        {
          where,
          expected: 'a table DuckDB can read',
          got: new Error((error as Error).message.split('\n').slice(0, 3).join(' ').slice(0, 400)),
        },
        error,
      );
    } finally {
      clearInterval(timer);
    }
  }
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * A file as an SQL literal. DuckDB takes `*`, `?` and `[...]` for patterns and would read other files beside it
 * or in its stead; in brackets each stands for itself. An absolute path is no address and no home folder.
 */
export function fileLiteral(path: string): string {
  return literal(resolve(path).replace(/[*?[]/g, '[$&]'));
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function plain(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return String(value);
}
