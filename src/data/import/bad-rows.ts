/**
 * The rows an import could not take: all are counted, the first of them listed.
 */
import { IloraError } from '../../errors/index.js';
import { describeBadRow } from './check.js';
import type { Database } from './duckdb.js';
import type { BadRow, ImportTable, RowFault } from './table.js';

/** Bad rows of all files of one import. */
export class BadRows {
  count = 0;
  readonly listed: BadRow[] = [];

  constructor(
    private readonly database: Database,
    private readonly maxListed: number,
  ) {}

  /** Number of rows of a relation such as `checked` that are bad. */
  async countIn(checked: string): Promise<number> {
    return this.database.number(`SELECT count(*) FROM ${checked} WHERE expected IS NOT NULL`);
  }

  /**
   * Takes in the bad rows of a file.
   *
   * @param faulty  rows of `checked` that are bad; those that could not be read at all come on top
   */
  async collect(table: ImportTable, checked: string, faulty: number): Promise<void> {
    const rejected = await table.countRejected();
    if (rejected + faulty === 0) return;
    this.count += rejected + faulty;
    const rows = await this.database.rows(
      `SELECT place, expected, got FROM ${checked} WHERE expected IS NOT NULL ORDER BY place LIMIT ${this.maxListed}`,
    );
    const taken = rows.map(
      ([place, expected, got]): RowFault => ({
        place: Number(place),
        expected: String(expected),
        got: got === null ? 'nothing' : JSON.stringify(String(got).slice(0, 80)),
      }),
    );
    const left = Math.max(0, this.maxListed - this.listed.length);
    this.listed.push(...(await table.locate(taken, left)));
  }

  /** One error with all that is listed. */
  error(where: string): IloraError {
    const { count, listed } = this;
    const lines = listed.map((row) => `  ${describeBadRow(row)}`);
    if (count > listed.length) lines.push(`  ... and ${count - listed.length} more`);
    return new IloraError(
      'data',
      `${where}: ${count} bad ${count === 1 ? 'row' : 'rows'}\n${lines.join('\n')}\ncorrect them, or leave them out with --bad-rows skip`,
      { where, count, listed },
    );
  }
}
