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

/** Sizes from which a number is of the next unit: 1e11 s is the year 5138, 1e11 ms is March 1973. */
export const unitLimits = [1e11, 1e14, 1e17] as const;

const units = ['seconds', 'milliseconds', 'microseconds', 'nanoseconds'] as const;

/**
 * The unit of a whole column: that of its middle number.
 *
 * @param count  numbers there are
 * @param below  how many of them are smaller than each of `unitLimits`
 */
export function timeUnitOf(count: number, below: readonly number[]): TimeUnit {
  if (count === 0) return 'ISO text';
  return units[below.findIndex((smaller) => 2 * smaller > count)] ?? 'nanoseconds';
}

/** SQL for Unix seconds of a field of kind `time`; null where it is no time. Texts without zone are UTC. */
export function timeSql(name: string, unit: TimeUnit): string {
  return `coalesce(${name}_n / ${divisors[unit] ?? 1}, ${name}_iso)`;
}
