/**
 * Anyone's interactions and items, as a dataset draft.
 *
 * Everything that grows with the number of interactions (checks, filters, joins, sorting) happens in
 * DuckDB, which spills to disk; what comes out is streamed into flat arrays, sorted by user, time
 * and, for equal times, order in the file. No row is dropped silently: a row is taken, counted under
 * `dropped` by a filter the user asked for, or a bad row.
 */
import { basename } from 'node:path';
import { IloraError } from '../errors/index.js';
import { type DatasetDraft, publishedWindow, type WindowRule } from './draft.js';
import { Database } from './duckdb.js';
import { checkInteractionsSql, checkItemsSql, describeBadRow } from './import-check.js';
import { type ColumnMap, findColumns } from './import-columns.js';
import type { ImportOptions, ImportResult } from './import-options.js';
import { type BadRow, ImportTable, type RowFault } from './import-table.js';
import { SequenceStore } from './sequence-store.js';
import { splitSequences } from './split.js';
import { type TimeUnit, timeSql, timeUnitOf } from './time.js';
import { cleanTitle, tidyTitle, titleKey } from './title.js';
import type { Item } from './types.js';

/**
 * Reads interactions and items.
 *
 * @throws IloraError `usage` for columns that are not found, `data` listing bad rows
 */
export async function importInteractions(options: ImportOptions): Promise<ImportResult> {
  return Database.use((database) => new Importer(database, options).run(), options.signal);
}

/** The steps of one import; every step leaves a table the next one reads. */
class Importer {
  private columns: ColumnMap = {};
  private timeUnit: TimeUnit = 'file order';
  private readonly dropped: Record<string, number> = {};
  private readonly notes: string[] = [];
  private readonly bad = { count: 0, listed: [] as BadRow[] };

  constructor(
    private readonly database: Database,
    private readonly options: ImportOptions,
  ) {}

  async run(): Promise<ImportResult> {
    const { database, options } = this;
    const { window = publishedWindow, split: rule = 'by-user', fractions } = options;
    const interactions = await ImportTable.open(
      database,
      'interactions',
      options.interactions,
      options.text,
    );
    await this.loadItems();
    await this.loadInteractions(interactions);
    this.refuseBadRows();
    await this.filter();
    await this.number();
    const items = await this.readItems();
    const sequences = await this.readSequences();
    const split = splitSequences(sequences, { rule, window, ...(fractions && { fractions }) });
    this.describe(sequences, items, window);
    const draft: DatasetDraft = {
      name: options.name ?? basename(options.interactions).replace(/\..*$/, ''),
      origin: [options.interactions, ...(options.items === undefined ? [] : [options.items])]
        .map((path) => basename(path))
        .join(', '),
      licence: options.licence ?? 'not stated',
      citation: options.citation ?? '',
      titles: options.items === undefined ? 'ids' : (options.titleStyle ?? 'raw'),
      window,
      items,
      sequences,
      ...split,
      splitRule: { ...split.splitRule, ...this.filters() },
      dropped: this.dropped,
      notes: this.notes,
    };
    return { draft, columns: this.columns, timeUnit: this.timeUnit, badRows: this.bad };
  }

  /** Table `items`: place (order in the file), id, title. */
  private async loadItems(): Promise<void> {
    const { database, options } = this;
    if (options.items === undefined) {
      this.notes.push('No file of items was given: titles are item ids.');
      return;
    }
    options.onProgress?.(`reading ${options.items}`);
    const table = await ImportTable.open(database, 'items', options.items, options.text);
    const columns = findColumns(options.items, table.columns, options.columns ?? {}, {
      required: ['itemId', 'itemTitle'],
      optional: [],
    });
    Object.assign(this.columns, columns);
    await table.load({ id: columns.itemId, title: columns.itemTitle });
    await database.run(checkItemsSql);
    await this.collectBadRows(table, 'items_checked');
    await database.run(
      'CREATE TABLE items AS SELECT place, id, title FROM items_checked WHERE expected IS NULL',
    );
  }

  /** Table `good`: place (order in the file), user, item, seconds; and the bad rows. */
  private async loadInteractions(table: ImportTable): Promise<void> {
    const { database, options } = this;
    options.onProgress?.(`reading ${options.interactions}`);
    const isTimed = options.inFileOrder !== true;
    const needsRating = options.minRating !== undefined;
    const columns = findColumns(options.interactions, table.columns, options.columns ?? {}, {
      required: [
        'user',
        'item',
        ...(isTimed ? (['time'] as const) : []),
        ...(needsRating ? (['rating'] as const) : []),
      ],
      optional: needsRating ? [] : ['rating'],
    });
    Object.assign(this.columns, columns);
    await table.load({
      user_id: columns.user,
      item_id: columns.item,
      time: columns.time,
      rating: columns.rating,
    });
    if (isTimed) {
      const middle = await database.rows(
        'SELECT median(abs(n)) FROM (SELECT TRY_CAST(time AS DOUBLE) AS n FROM interactions_raw) WHERE isfinite(n)',
      );
      this.timeUnit = timeUnitOf(middle[0]?.[0] as number | null);
    }
    await database.run(
      checkInteractionsSql({
        seconds: isTimed ? timeSql('time', this.timeUnit) : 'CAST(rowid AS DOUBLE)',
        needsRating,
        itemsFile: options.items,
      }),
    );
    await database.run('DROP TABLE interactions_raw');
    await this.collectBadRows(table, 'checked');
    if (needsRating)
      this.dropped.belowMinRating = await database.number(
        `SELECT count(*) FROM checked WHERE expected IS NULL AND TRY_CAST(rating AS DOUBLE) < ${options.minRating}`,
      );
    const isKept = needsRating ? `AND TRY_CAST(rating AS DOUBLE) >= ${options.minRating}` : '';
    await database.run(
      `CREATE TABLE good AS SELECT place, user_id, item_id, seconds FROM checked WHERE expected IS NULL ${isKept}`,
    );
    await database.run('DROP TABLE checked');
  }

  /** Counts the bad rows of a file and lists the first of them. */
  private async collectBadRows(table: ImportTable, checked: string): Promise<void> {
    const { maxListed = 20 } = this.options;
    const rejected = await table.countRejected();
    const faulty = await this.database.number(
      `SELECT count(*) FROM ${checked} WHERE expected IS NOT NULL`,
    );
    if (rejected + faulty === 0) return;
    this.bad.count += rejected + faulty;
    const rows = await this.database.rows(
      `SELECT place, expected, got FROM ${checked} WHERE expected IS NOT NULL ORDER BY place LIMIT ${maxListed}`,
    );
    const taken = rows.map(
      ([place, expected, got]): RowFault => ({
        place: Number(place),
        expected: String(expected),
        got: got === null ? 'nothing' : JSON.stringify(String(got).slice(0, 80)),
      }),
    );
    this.bad.listed.push(
      ...(await table.locate(taken, Math.max(0, maxListed - this.bad.listed.length))),
    );
  }

  private refuseBadRows(): void {
    const { count, listed } = this.bad;
    if (count === 0) return;
    this.dropped.badRows = count;
    if (this.options.badRows === 'skip') return;
    const lines = listed.map((row) => `  ${describeBadRow(row)}`);
    if (count > listed.length) lines.push(`  ... and ${count - listed.length} more`);
    throw new IloraError(
      'data',
      `${this.options.interactions}: ${count} bad ${count === 1 ? 'row' : 'rows'}\n${lines.join('\n')}\ncorrect them, or leave them out with --bad-rows skip`,
      { where: this.options.interactions, count, listed },
    );
  }

  /** Deletes users and items with too few interactions, in turns, until nothing changes. */
  private async filter(): Promise<void> {
    const { minUserInteractions = 1, minItemInteractions = 1 } = this.options;
    if (minUserInteractions <= 1 && minItemInteractions <= 1) return;
    this.options.onProgress?.('leaving out rare users and items');
    const before = await this.database.number('SELECT count(*) FROM good');
    let left = before;
    for (let last = -1; left !== last; ) {
      last = left;
      for (const [column, least] of [
        ['user_id', minUserInteractions],
        ['item_id', minItemInteractions],
      ] as const)
        if (least > 1)
          await this.database.run(
            `DELETE FROM good WHERE ${column} IN (SELECT ${column} FROM good GROUP BY 1 HAVING count(*) < ${least})`,
          );
      left = await this.database.number('SELECT count(*) FROM good');
    }
    this.dropped.rareUsersAndItems = before - left;
  }

  /** Tables `user_numbers` (order of first appearance) and `item_numbers` (order of the catalog). */
  private async number(): Promise<void> {
    const { database, options } = this;
    await database.run(`CREATE TABLE user_numbers AS
      SELECT user_id, row_number() OVER (ORDER BY first_place) - 1 AS number
      FROM (SELECT user_id, min(place) AS first_place FROM good GROUP BY user_id)`);
    const used = '(SELECT DISTINCT item_id FROM good)';
    if (options.items === undefined)
      await database.run(`CREATE TABLE item_numbers AS
        SELECT item_id, item_id AS title,
          row_number() OVER (ORDER BY TRY_CAST(item_id AS BIGINT) NULLS LAST, item_id) - 1 AS number
        FROM ${used}`);
    else {
      const isUsed = options.keepUnusedItems === true ? '' : `WHERE id IN ${used}`;
      await database.run(`CREATE TABLE item_numbers AS
        SELECT id AS item_id, title, row_number() OVER (ORDER BY place) - 1 AS number
        FROM items ${isUsed}`);
      const unused =
        (await database.number('SELECT count(*) FROM items')) -
        (await database.number('SELECT count(*) FROM item_numbers'));
      if (unused > 0) this.dropped.itemsWithoutInteractions = unused;
    }
  }

  private async readItems(): Promise<Item[]> {
    const style = this.options.titleStyle ?? 'raw';
    const items: Item[] = [];
    for await (const [ids, titles] of this.database.columns(
      'SELECT item_id, title FROM item_numbers ORDER BY number',
    ))
      for (let i = 0; i < ids!.length; i++) {
        const sourceTitle = tidyTitle(String(titles![i]));
        items.push({
          id: items.length,
          title: cleanTitle(sourceTitle, style),
          sourceTitle,
          sourceId: String(ids![i]),
        });
      }
    return items;
  }

  private async readSequences(): Promise<SequenceStore> {
    this.options.onProgress?.('sorting interactions');
    const users: string[] = [];
    for await (const [ids] of this.database.columns(
      'SELECT user_id FROM user_numbers ORDER BY number',
    ))
      for (const id of ids!) users.push(String(id));
    const isTimed = this.options.inFileOrder !== true;
    const sequences = new SequenceStore(isTimed);
    for await (const [owners, items, times] of this.database.columns(`
      SELECT CAST(u.number AS INTEGER), CAST(i.number AS INTEGER), seconds
      FROM good JOIN user_numbers u USING (user_id) JOIN item_numbers i USING (item_id)
      ORDER BY u.number, seconds, place`))
      for (let row = 0; row < owners!.length; row++) {
        // Every user has interactions, in the order of their numbers.
        if (owners![row] === sequences.size) sequences.open(users[sequences.size]!);
        sequences.push(items![row] as number, isTimed ? (times![row] as number) : undefined);
      }
    return sequences;
  }

  /** Filters that were asked for, for the manifest. */
  private filters(): Record<string, number> {
    const { minRating, minUserInteractions, minItemInteractions } = this.options;
    return {
      ...(minRating !== undefined && { minRating }),
      ...(minUserInteractions !== undefined && { minUserInteractions }),
      ...(minItemInteractions !== undefined && { minItemInteractions }),
    };
  }

  /** Says what a reader of results should know. */
  private describe(
    sequences: SequenceStore,
    items: readonly Item[],
    { minHistory }: WindowRule,
  ): void {
    let short = 0;
    let repeats = 0;
    for (let i = 0; i < sequences.size; i++) {
      const own = sequences.itemsOf(i);
      if (own.length <= minHistory) short++;
      repeats += own.length - new Set(own).size;
    }
    if (short > 0) this.dropped.usersWithoutRows = short;
    if (repeats > 0)
      this.notes.push(`${repeats} interactions repeat an item of the same user; they are kept.`);
    const titles = new Set(items.map((item) => titleKey(item.title)));
    if (titles.size < items.length)
      this.notes.push(
        `${items.length - titles.size} items share their title with an earlier one; they are never candidates together.`,
      );
  }
}
