/**
 * What SQL says an import of a file must hold, without any code of the import.
 */
import type { DuckDBConnection } from '@duckdb/node-api';

/** Counts as in `manifest.json`. */
export interface Counts {
  items: number;
  users: number;
  interactions: number;
  rows: Record<string, number>;
}

/** Counts of an import with the default rules: by user 8:1:1, 3 items of history, 20 wide rows per test user. */
export async function expectedCounts(connection: DuckDBConnection, file: string): Promise<Counts> {
  const [row] = (
    await connection.runAndReadAll(`
      WITH users AS (
        SELECT user_id, count(*) AS n, min(timestamp) AS first_time, min(file_row_number) AS place
        FROM read_parquet('${file}', file_row_number = true) GROUP BY 1),
      ranked AS (
        SELECT n, row_number() OVER (ORDER BY first_time, place) - 1 AS rank, count(*) OVER () AS total
        FROM users WHERE n > 3),
      split AS (
        SELECT n, CASE WHEN rank < floor(total * 8 / 10) THEN 'train'
          WHEN rank < floor(total * 9 / 10) THEN 'validation' ELSE 'test' END AS part FROM ranked)
      SELECT (SELECT count(DISTINCT item_id) FROM '${file}'), (SELECT count(*) FROM users),
        (SELECT count(*) FROM '${file}'),
        sum(n - 3) FILTER (part = 'train'), count(*) FILTER (part = 'validation'),
        count(*) FILTER (part = 'test'), sum(least(n - 3, 20)) FILTER (part = 'test') FROM split`)
  ).getRows();
  const [items, users, interactions, train, validation, test, wide] = row!.map(Number);
  return {
    items: items!,
    users: users!,
    interactions: interactions!,
    rows: { train: train!, validation: validation!, test: test!, 'test-wide': wide! },
  };
}

/**
 * Rows of the dataset's sequences that are not at the place, with the item and the time, that SQL's own
 * order by user, time and place in the file gives them.
 */
export async function misplacedRows(
  connection: DuckDBConnection,
  file: string,
  folder: string,
): Promise<number> {
  const [row] = (
    await connection.runAndReadAll(`
      WITH items AS (
        SELECT item_id, source_id FROM read_csv('${folder}/items.tsv', delim = '\t', quote = '', header = true)),
      lines AS (
        SELECT user, items AS list, times
        FROM read_json('${folder}/sequences.jsonl', format = 'newline_delimited', maximum_object_size = 67108864,
          columns = {user: 'BIGINT', items: 'INTEGER[]', times: 'BIGINT[]'})),
      stored AS (
        SELECT user, unnest(list) AS item, unnest(times) AS time, unnest(range(1, len(list) + 1)) AS place
        FROM lines),
      sorted AS (
        SELECT user_id, item_id, timestamp,
          row_number() OVER (PARTITION BY user_id ORDER BY timestamp, file_row_number) AS place
        FROM read_parquet('${file}', file_row_number = true))
      SELECT count(*) FILTER (s.user IS NULL OR d.user_id IS NULL OR i.source_id <> d.item_id OR s.time <> d.timestamp)
      FROM stored s FULL JOIN sorted d ON s.user = d.user_id AND s.place = d.place
      LEFT JOIN items i ON i.item_id = s.item`)
  ).getRows();
  return Number(row![0]);
}
