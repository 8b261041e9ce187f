/**
 * Interactions that look like those of a shop or a film site, made by DuckDB out of a seed.
 *
 * A user has 100 of them on average (most fewer, some thousands), items follow a power law whose head is
 * bent (Zipf and Mandelbrot), times spread over five years in any order, and ids have no order either. Every
 * number is a function of seed and row, so threads do not matter.
 */
import type { DuckDBConnection } from '@duckdb/node-api';

export interface Shape {
  interactions: number;
  users: number;
  items: number;
}

/** 20 million interactions come from 200,000 users and 50,000 items; smaller files keep the proportions. */
export function shapeOf(interactions: number): Shape {
  return { interactions, users: interactions / 100, items: interactions / 400 };
}

const FIRST_TIME = 1_500_000_000;
const FIVE_YEARS_S = 5 * 365 * 86_400;
/** Makes the most popular items nearly equals, as a fifth of a percent of all interactions each. */
const BEND = 50;

/** Writes `path`.parquet and, from it, `path`.csv. */
export async function generate(
  connection: DuckDBConnection,
  path: string,
  { interactions, users, items }: Shape,
  seed: number,
): Promise<void> {
  const uniform = (what: number): string =>
    `(CAST(hash(i, ${what}, ${seed}) AS DOUBLE) / 18446744073709551616.0)`;
  // Multiplying by a prime that does not divide the count shuffles the ids.
  const user = `1 + (CAST(floor(${users} * pow(${uniform(0)}, 1.5)) AS BIGINT) * 7919) % ${users}`;
  const rank = `CAST(floor(${BEND} * exp(${uniform(1)} * ln(${items} / ${BEND}.0 + 1)) - ${BEND}) AS BIGINT)`;
  const item = `1 + (${rank} * 6151) % ${items}`;
  const time = `${FIRST_TIME} + CAST(floor(${FIVE_YEARS_S} * ${uniform(2)}) AS BIGINT)`;
  await connection.run(
    `COPY (SELECT ${user} AS user_id, ${item} AS item_id, ${time} AS timestamp FROM range(${interactions}) r(i))
     TO '${path}.parquet' (FORMAT parquet)`,
  );
  await connection.run(`COPY (FROM '${path}.parquet') TO '${path}.csv' (FORMAT csv)`);
}
