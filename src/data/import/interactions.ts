/**
 * Anyone's interactions and items, as a dataset draft.
 *
 * Reading, checks, filters and the numbers of users and items are DuckDB's, whose memory is bounded; what
 * comes out is streamed into flat arrays (`gather-sequences.ts`), in the order of user, time and, for equal
 * times, place in the file. No row is dropped silently: a row is taken, counted under `dropped` by a filter
 * the user asked for, or a bad row.
 */
import { basename } from 'node:path';
import {
  type AttributeColumn,
  type AttributeInfo,
  attributeColumns,
  NO_ATTRIBUTES,
  readAttributes,
} from '../attribute.js';
import { type DatasetDraft, publishedWindow, type WindowRule } from '../draft.js';
import type { SequenceStore } from '../sequence-store.js';
import { splitSequences } from '../split.js';
import { cleanTitle, tidyTitle, titleKey } from '../title.js';
import type { Item } from '../types.js';
import { BadRows } from './bad-rows.js';
import { checkInteractionsSql, checkItemsSql, isFaultySql, wholeIdSql } from './check.js';
import { type ColumnMap, findColumns } from './columns.js';
import { Database } from './duckdb.js';
import { gatherSequences } from './gather-sequences.js';
import type { ImportOptions, ImportResult } from './options.js';
import { ImportTable } from './table.js';
import { type TimeUnit, timeSql, timeUnitOf, unitLimits } from './time.js';

/**
 * Reads interactions and items.
 *
 * @throws IloraError `usage` for columns that are not found, `data` listing bad rows
 */
export async function importInteractions(options: ImportOptions): Promise<ImportResult> {
  let step = '';
  const begin = (text: string): void => {
    step = text;
    options.onProgress?.({ text });
  };
  return Database.use((database) => new Importer(database, options, begin).run(), {
    signal: options.signal,
    onProgress: (share) =>
      options.onProgress?.({ text: step, done: Math.round(100 * share), total: 100, unit: '%' }),
  });
}

/** The steps of one import; every step leaves a table or a view the next one reads. */
class Importer {
  private columns: ColumnMap = {};
  /** Columns of the items' file that become attributes; column i is read as `attribute_i`. */
  private attributes: AttributeColumn[] = [];
  private timeUnit: TimeUnit = 'file order';
  /** All ids of users, of items are whole numbers, which are kept as such. */
  private isWhole = { user: false, item: false };
  /** Rows of the file, and those with a fault by themselves. */
  private raw = { rows: 0, faulty: 0 };
  private readonly dropped: Record<string, number> = {};
  private readonly notes: string[] = [];
  private readonly bad: BadRows;

  constructor(
    private readonly database: Database,
    private readonly options: ImportOptions,
    /** Says what is done from here on. */
    private readonly begin: (text: string) => void,
  ) {
    this.bad = new BadRows(database, options.maxListed ?? 20);
  }

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
    await this.checkInteractions(interactions);
    this.refuseBadRows();
    await this.filter();
    await this.number();
    const { items, infos } = await this.readItems();
    const sequences = await gatherSequences(database, {
      isTimed: options.inFileOrder !== true,
      rows: this.raw.rows,
      begin: this.begin,
      onProgress: options.onProgress,
      signal: options.signal,
    });
    this.begin('cutting into train, validation and test');
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
      attributes: infos,
      sequences,
      ...split,
      splitRule: { ...split.splitRule, ...this.filters() },
      dropped: this.dropped,
      notes: this.notes,
    };
    const badRows = { count: this.bad.count, listed: this.bad.listed };
    const attributes = infos.map((info) => ({
      ...(this.attributes.find(({ name }) => name === info.name) as AttributeColumn),
      ...info,
    }));
    return { draft, columns: this.columns, attributes, timeUnit: this.timeUnit, badRows };
  }

  /** Table `items`: place (order in the file), id, title. */
  private async loadItems(): Promise<void> {
    const { database, options } = this;
    if (options.items === undefined) {
      this.notes.push('No file of items was given: titles are item ids.');
      return;
    }
    this.begin(`reading ${options.items}`);
    const table = await ImportTable.open(database, 'items', options.items, options.text);
    const columns = findColumns(options.items, table.columns, options.columns ?? {}, {
      required: ['itemId', 'itemTitle'],
      optional: [],
    });
    Object.assign(this.columns, columns);
    this.attributes = attributeColumns(options.items, table.columns, {
      taken: [columns.itemId, columns.itemTitle] as string[],
      wanted: options.attributes,
    });
    await table.load({
      id: ['text', columns.itemId],
      title: ['text', columns.itemTitle],
      ...Object.fromEntries(
        this.attributes.map(({ column }, i) => [`attribute_${i}`, ['text', column] as const]),
      ),
    });
    await database.run(checkItemsSql);
    await this.bad.collect(table, 'items_checked', await this.bad.countIn('items_checked'));
    await database.run(
      'CREATE TABLE items AS SELECT place, id, title FROM items_checked WHERE expected IS NULL',
    );
  }

  /** View `interactions_raw`, and what its columns hold. */
  private async loadInteractions(table: ImportTable): Promise<void> {
    const { database, options } = this;
    this.begin(`reading ${options.interactions}`);
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
      user: ['key', columns.user],
      item: ['key', columns.item],
      time: ['time', columns.time],
      rating: ['number', columns.rating],
    });
    this.begin('checking interactions');
    const [counts] = await database.rows(`SELECT
        count(*) FILTER (user_text <> ''), count(*) FILTER (item_text <> ''),
        count(*) FILTER (isfinite(time_n)), count(*) FILTER (abs(time_n) < ${unitLimits[0]}),
        count(*) FILTER (${isFaultySql(isTimed, needsRating)}), count(*)
      FROM interactions_raw`);
    const [userTexts, itemTexts, numbers, small, faulty, rows] = counts as number[];
    this.isWhole = { user: userTexts === 0, item: itemTexts === 0 };
    this.raw = { rows: rows!, faulty: faulty! };
    if (!isTimed) return;
    // Most times are seconds; only others need a second look at all of them.
    const below = [small!];
    if (numbers! > 0 && 2 * small! <= numbers!)
      for (const limit of unitLimits.slice(1))
        below.push(
          await database.number(
            `SELECT count(*) FROM interactions_raw WHERE abs(time_n) < ${limit}`,
          ),
        );
    this.timeUnit = timeUnitOf(numbers!, below);
  }

  /** View `good`: place (order in the file), user_id, item_id, seconds; and the bad rows. */
  private async checkInteractions(table: ImportTable): Promise<void> {
    const { database, options, isWhole } = this;
    const needsRating = options.minRating !== undefined;
    const isTimed = options.inFileOrder !== true;
    if (options.items !== undefined)
      await database.run(
        `CREATE TABLE known_items AS SELECT ${isWhole.item ? wholeIdSql('id') : 'id'} AS id FROM items`,
      );
    await database.run(
      checkInteractionsSql({
        seconds: isTimed ? timeSql('time', this.timeUnit) : undefined,
        needsRating,
        isWhole,
        itemsFile: options.items,
      }),
    );
    const faulty =
      options.items === undefined ? this.raw.faulty : await this.bad.countIn('checked');
    await this.bad.collect(table, 'checked', faulty);
    if (needsRating)
      this.dropped.belowMinRating = await database.number(
        `SELECT count(*) FROM checked WHERE expected IS NULL AND rating < ${options.minRating}`,
      );
    // Rows that are all good need no second look, of which there will be several.
    const isGood = faulty > 0 ? 'expected IS NULL' : 'true';
    const isKept = needsRating ? `rating >= ${options.minRating}` : 'true';
    await database.run(
      `CREATE VIEW good AS SELECT place, user_id, item_id, seconds FROM checked WHERE ${isGood} AND ${isKept}`,
    );
  }

  private refuseBadRows(): void {
    if (this.bad.count === 0) return;
    this.dropped.badRows = this.bad.count;
    if (this.options.badRows !== 'skip') throw this.bad.error(this.options.interactions);
  }

  /** Deletes users and items with too few interactions, in turns, until nothing changes. */
  private async filter(): Promise<void> {
    const { minUserInteractions = 1, minItemInteractions = 1 } = this.options;
    if (minUserInteractions <= 1 && minItemInteractions <= 1) return;
    this.begin('leaving out rare users and items');
    // Rows are deleted in turns, which a view cannot do.
    await this.database.run('CREATE TABLE kept AS SELECT * FROM good');
    await this.database.run('DROP VIEW good');
    await this.database.run('ALTER TABLE kept RENAME TO good');
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
    this.begin('numbering users and items');
    await database.run(`CREATE TABLE user_numbers AS
      SELECT user_id, CAST(row_number() OVER (ORDER BY first_place) - 1 AS INTEGER) AS number, interactions
      FROM (SELECT user_id, min(place) AS first_place, count(*) AS interactions FROM good GROUP BY user_id)`);
    const used = '(SELECT DISTINCT item_id FROM good)';
    if (options.items === undefined)
      await database.run(`CREATE TABLE item_numbers AS
        SELECT item_id, CAST(item_id AS VARCHAR) AS source_id, CAST(item_id AS VARCHAR) AS title,
          CAST(row_number() OVER (ORDER BY TRY_CAST(item_id AS BIGINT) NULLS LAST, item_id) - 1 AS INTEGER) AS number
        FROM ${used}`);
    else {
      const itemId = this.isWhole.item ? wholeIdSql('id') : 'id';
      const isUsed = options.keepUnusedItems === true ? '' : `WHERE item_id IN ${used}`;
      await database.run(`CREATE TABLE item_numbers AS
        SELECT item_id, source_id, title, place AS item_place, CAST(row_number() OVER (ORDER BY place) - 1 AS INTEGER) AS number
        FROM (SELECT ${itemId} AS item_id, id AS source_id, title, place FROM items) ${isUsed}`);
      const unused =
        (await database.number('SELECT count(*) FROM items')) -
        (await database.number('SELECT count(*) FROM item_numbers'));
      if (unused > 0) this.dropped.itemsWithoutInteractions = unused;
    }
  }

  private async readItems(): Promise<{ items: Item[]; infos: AttributeInfo[] }> {
    const style = this.options.titleStyle ?? 'raw';
    const items: Item[] = [];
    const names = this.attributes.map((_, i) => `attribute_${i}`);
    const texts = names.map((): (string | null)[] => []);
    const from =
      names.length === 0
        ? 'item_numbers n'
        : 'item_numbers n JOIN items_raw r ON r.place = n.item_place';
    const own = names.map((name) => `, r.${name}`).join('');
    for await (const [ids, titles, ...more] of this.database.columns(
      `SELECT n.source_id, n.title${own} FROM ${from} ORDER BY n.number`,
    )) {
      for (let i = 0; i < ids!.length; i++) {
        const sourceTitle = tidyTitle(String(titles![i]));
        items.push({
          id: items.length,
          title: cleanTitle(sourceTitle, style),
          sourceTitle,
          sourceId: String(ids![i]),
          attributes: NO_ATTRIBUTES,
        });
      }
      for (const [i, column] of more.entries())
        for (const text of column) texts[i]!.push(text as string | null);
    }
    const read = readAttributes(
      this.attributes.map(({ name }) => name),
      texts,
      items.length,
    );
    if (names.length > 0)
      for (const [i, item] of items.entries()) item.attributes = read.attributes[i]!;
    return { items, infos: read.infos };
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
    const lastUser = new Int32Array(items.length).fill(-1); // who had an item last
    for (let i = 0; i < sequences.size; i++) {
      const own = sequences.itemsOf(i);
      if (own.length <= minHistory) short++;
      for (const item of own) {
        if (lastUser[item] === i) repeats++;
        lastUser[item] = i;
      }
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
