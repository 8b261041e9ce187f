/**
 * SQL that says of every row of a file what is wrong with it.
 *
 * Both statements turn `<name>_raw` (texts, see `import-table.ts`) into a table in which `expected`
 * names the first fault of a row, null if there is none, and `got` the value that stood there.
 */
import { basename } from 'node:path';
import { literal } from './duckdb.js';
import type { BadRow } from './import-table.js';

const timeExpectation =
  'a time as Unix seconds or milliseconds or as ISO text such as 2024-05-01T12:00:00Z';

/** Makes `items_checked`: place (order in the file), id, title. */
export const checkItemsSql = `
  CREATE TABLE items_checked AS SELECT place, id, title, expected,
    CASE expected WHEN 'a JSON object' THEN broken WHEN 'a title' THEN title ELSE id END AS got
  FROM (SELECT rowid AS place, trim(id) AS id, title, broken,
      CASE WHEN broken IS NOT NULL THEN 'a JSON object'
           WHEN coalesce(trim(id), '') = '' THEN 'an item id'
           WHEN coalesce(trim(title), '') = '' THEN 'a title'
           WHEN row_number() OVER (PARTITION BY trim(id) ORDER BY rowid) > 1
             THEN 'an item id that did not occur before' END AS expected
    FROM items_raw WHERE NOT blank)`;

/** Makes `checked`: place (order in the file), user, item, seconds, rating. */
export function checkInteractionsSql(options: {
  /** SQL for Unix seconds. */
  seconds: string;
  /** A missing rating is a fault too. */
  needsRating: boolean;
  /** File whose ids are in table `items`; undefined if every id will do. */
  itemsFile: string | undefined;
}): string {
  const { seconds, needsRating, itemsFile } = options;
  const isBadNumber = 'coalesce(NOT isfinite(TRY_CAST(rating AS DOUBLE)), true)';
  const isBadRating = needsRating ? isBadNumber : `rating IS NOT NULL AND ${isBadNumber}`;
  const itemFault =
    itemsFile === undefined
      ? ''
      : `WHEN trim(item_id) NOT IN (SELECT id FROM items)
           THEN ${literal(`an item id of ${basename(itemsFile)}`)}`;
  return `
    CREATE TABLE checked AS SELECT place, user_id, item_id, seconds, rating, expected,
      CASE expected WHEN 'a JSON object' THEN broken WHEN 'a user' THEN user_id
        WHEN ${literal(timeExpectation)} THEN time
        WHEN 'a rating as a number' THEN rating ELSE item_id END AS got
    FROM (SELECT rowid AS place, trim(user_id) AS user_id, trim(item_id) AS item_id, time, rating,
        broken, ${seconds} AS seconds,
        CASE WHEN broken IS NOT NULL THEN 'a JSON object'
             WHEN coalesce(trim(user_id), '') = '' THEN 'a user'
             WHEN coalesce(trim(item_id), '') = '' THEN 'an item id'
             WHEN seconds IS NULL OR NOT isfinite(seconds) THEN ${literal(timeExpectation)}
             WHEN ${isBadRating} THEN 'a rating as a number'
             ${itemFault} END AS expected
      FROM interactions_raw WHERE NOT blank)`;
}

/** One line about a bad row. */
export function describeBadRow({ where, expected, got }: BadRow): string {
  return `${where}: expected ${expected}, got ${got}`;
}
