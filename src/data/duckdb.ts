/**
 * A DuckDB in memory that spills to a temporary folder and downloads nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { AbortError, mismatch } from '../errors/index.js';

/** A row of a query: texts, numbers (also for whole numbers of 64 bits) and nulls. */
export type SqlRow = readonly (string | number | boolean | null)[];

/** A connection that speaks in typed errors. */
export class Database {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly folder: string,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Opens a database, hands it to `work` and closes it, whatever happens. */
  static async use<T>(work: (database: Database) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), 'ilora-import-'));
    // Loaded here, so that only an import pays for it.
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:', {
      temp_directory: folder,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    const database = new Database(instance, connection, folder, signal);
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      await database.run("SET TimeZone = 'UTC'");
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
    const result = await this.guard('duckdb', () => this.connection.stream(sql));
    for (;;) {
      const chunk = await this.guard('duckdb', () => result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) return;
      yield chunk.getColumns();
    }
  }

  private async close(): Promise<void> {
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async guard<T>(where: string, work: () => Promise<T>): Promise<T> {
    if (this.signal?.aborted) throw new AbortError();
    try {
      return await work();
    } catch (error) {
      if (this.signal?.aborted) throw new AbortError();
      throw mismatch(
        'format',
        {
          where,
          expected: 'a table DuckDB can read',
          got: new Error((error as Error).message.split('\n').slice(0, 3).join(' ').slice(0, 400)),
        },
        error,
      );
    }
  }
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
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
