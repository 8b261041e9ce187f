/**
 * SQL that says of every row of a file what is wrong with it.
 *
 * Both statements turn `<name>_raw` (see `import-table.ts`) into a relation in which `expected`
 * names the first fault of a row, null if there is none, and `got` the value that stood there.
 */
import { basename } from 'node:path';
import { literal } from './duckdb.js';
import type { BadRow } from './table.js';

const timeExpectation =
  'a time as Unix seconds or milliseconds or as ISO text such as 2024-05-01T12:00:00Z';

/** What `tidyTitle` leaves nothing of. */
const BLANK = '[\\x00-\\x1f\\x7f\\pZ\\x{feff}]*';

/** Makes `items_checked`: place (order in the file), id, title. */
export const checkItemsSql = `
  CREATE TABLE items_checked AS SELECT place, id, title, expected,
    CASE expected WHEN 'a JSON object' THEN broken WHEN 'a title' THEN title ELSE id END AS got
  FROM (SELECT place, trim(id) AS id, title, broken,
      CASE WHEN broken IS NOT NULL THEN 'a JSON object'
           WHEN coalesce(trim(id), '') = '' THEN 'an item id'
           WHEN regexp_full_match(coalesce(title, ''), '${BLANK}') THEN 'a title'
           WHEN row_number() OVER (PARTITION BY trim(id) ORDER BY place) > 1
             THEN 'an item id that did not occur before' END AS expected
    FROM items_raw WHERE NOT blank)`;

/**
 * Faults a row can have by itself, in the order in which they are looked for: condition and expectation.
 *
 * @param seconds  SQL for the time; undefined where the order in the file is the order in time
 */
function ownFaults(seconds: string | undefined, needsRating: boolean): [string, string][] {
  return [
    ['broken IS NOT NULL', 'a JSON object'],
    [`user_n IS NULL AND coalesce(user_text, '') = ''`, 'a user'],
    [`item_n IS NULL AND coalesce(item_text, '') = ''`, 'an item id'],
    ...(seconds === undefined
      ? []
      : ([[`NOT coalesce(isfinite(${seconds}), false)`, timeExpectation]] as [string, string][])),
    [
      needsRating ? 'NOT coalesce(isfinite(rating_n), false)' : 'rating_text IS NOT NULL',
      'a rating as a number',
    ],
  ];
}

/** SQL for whether a row of `interactions_raw` has a fault by itself. */
export function isFaultySql(isTimed: boolean, needsRating: boolean): string {
  const faults = ownFaults(isTimed ? 'coalesce(time_n, time_iso)' : undefined, needsRating);
  return `NOT blank AND (${faults.map(([condition]) => `(${condition})`).join(' OR ')})`;
}

/**
 * Makes the view `checked`: place, user_id and item_id (whole numbers or texts), seconds, rating.
 *
 * A view, because looking at the rows again costs less than keeping them twice.
 */
export function checkInteractionsSql(options: {
  /** SQL for Unix seconds; undefined where the order in the file is the order in time. */
  seconds: string | undefined;
  /** A missing rating is a fault too. */
  needsRating: boolean;
  /** All ids of users, of items are whole numbers. */
  isWhole: { user: boolean; item: boolean };
  /** File whose ids are in table `known_items`; undefined if every id will do. */
  itemsFile: string | undefined;
}): string {
  const { seconds, needsRating, isWhole, itemsFile } = options;
  const faults = ownFaults(seconds, needsRating);
  if (itemsFile !== undefined)
    faults.push([
      `${idSql('item', isWhole.item)} NOT IN (SELECT id FROM known_items WHERE id IS NOT NULL)`,
      `an item id of ${basename(itemsFile)}`,
    ]);
  const cases = faults.map(([condition, name]) => `WHEN ${condition} THEN ${literal(name)}`);
  return `
    CREATE VIEW checked AS SELECT place, user_id, item_id, seconds, rating, expected,
      CASE expected WHEN 'a JSON object' THEN broken WHEN 'a user' THEN user_text
        WHEN ${literal(timeExpectation)} THEN time_text
        WHEN 'a rating as a number' THEN rating_text
        ELSE coalesce(item_text, CAST(item_n AS VARCHAR)) END AS got
    FROM (SELECT *, rating_n AS rating,
        ${seconds ?? 'CAST(place AS DOUBLE)'} AS seconds,
        ${idSql('user', isWhole.user)} AS user_id, ${idSql('item', isWhole.item)} AS item_id,
        CASE ${cases.join('\n             ')} END AS expected
      FROM interactions_raw WHERE NOT blank)`;
}

/** SQL for an id: its number if all are numbers, else its text. */
function idSql(name: 'user' | 'item', isWhole: boolean): string {
  return isWhole ? `${name}_n` : `coalesce(${name}_text, CAST(${name}_n AS VARCHAR))`;
}

/** SQL for the number of a text id, null where it is none in its usual spelling. */
export function wholeIdSql(text: string): string {
  return `CASE WHEN CAST(TRY_CAST(${text} AS BIGINT) AS VARCHAR) = ${text} THEN TRY_CAST(${text} AS BIGINT) END`;
}

/** One line about a bad row. */
export function describeBadRow({ where, expected, got }: BadRow): string {
  return `${where}: expected ${expected}, got ${got}`;
}
