/**
 * Figures over rounds and samples. Imports nothing: processes that measure their own memory load it.
 */

/** The middle of what was measured, with its ends. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** How one contestant's seconds compare with another's over the same rounds. */
export interface Ratio extends Spread {
  /** Of the medians; `min`, `median` and `max` are those of the rounds' own ratios. */
  ofMedians: number;
}

/** @throws RangeError if there is nothing to take the middle of */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median: expected at least one value, got none');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The least value that a share of all values does not exceed. @throws RangeError if there is none */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('quantile: expected at least one value, got none');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** other / own, round by round: how many times faster `own` is, if these are seconds. */
export function ratio(other: readonly number[], own: readonly number[]): Ratio {
  if (other.length !== own.length)
    throw new RangeError(`ratio: expected as many rounds, got ${other.length} and ${own.length}`);
  const paired = other.map((value, round) => value / (own[round] as number));
  return { ofMedians: median(other) / median(own), ...spread(paired) };
}

/** The slope of the line with the least squared distance to the points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: 0 | 1): number =>
    points.reduce((total, point) => total + point[of], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const spread = points.reduce((total, [x]) => total + (x - x0) ** 2, 0);
  return points.reduce((total, [x, y]) => total + (x - x0) * (y - y0), 0) / spread;
}

export function round(value: number, places: number): number {
  return Number(value.toFixed(places));
}

/** |a - b| as a share of the reference. */
export function relativeDifference(value: number, reference: number): number {
  return Math.abs(value - reference) / Math.max(Math.abs(reference), Number.MIN_VALUE);
}

/** Numbers with as many digits as they deserve, in all depths of a document. */
export function rounded(value: unknown, digits = 5): unknown {
  if (typeof value === 'number')
    return Number.isInteger(value) ? value : Number(value.toPrecision(digits));
  if (Array.isArray(value)) return value.map((entry) => rounded(entry, digits));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, entry]) => [key, rounded(entry, digits)]),
    );
  return value;
}
