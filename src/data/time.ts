/**
 * Times of interactions: Unix numbers of any unit, or ISO texts.
 */

/** How numbers in a column of times were understood; `file order` if there is no such column. */
export type TimeUnit =
  | 'seconds'
  | 'milliseconds'
  | 'microseconds'
  | 'nanoseconds'
  | 'ISO text'
  | 'file order';

const divisors: Partial<Record<TimeUnit, number>> = {
  milliseconds: 1e3,
  microseconds: 1e6,
  nanoseconds: 1e9,
};

/**
 * The unit of a whole column, from the size of its middle number.
 *
 * @param middle  median of the numbers; null if there are none
 */
export function timeUnitOf(middle: number | null): TimeUnit {
  if (middle === null) return 'ISO text';
  if (middle < 1e11) return 'seconds'; // 1e11 s is the year 5138, 1e11 ms is March 1973
  if (middle < 1e14) return 'milliseconds';
  if (middle < 1e17) return 'microseconds';
  return 'nanoseconds';
}

/** SQL for Unix seconds of a text column; null where the text is no time. Texts without zone are UTC. */
export function timeSql(column: string, unit: TimeUnit): string {
  const scaled = `TRY_CAST(${column} AS DOUBLE) / ${divisors[unit] ?? 1}`;
  return `coalesce(${scaled}, epoch(TRY_CAST(${column} AS TIMESTAMPTZ)))`;
}
