/**
 * Point estimates with 95 % intervals: Wilson for proportions of independent rows, a seeded
 * bootstrap over users for everything else.
 *
 * Sources: E. B. Wilson, JASA 1927; B. Efron, percentile bootstrap, 1979. Users are drawn, not rows,
 * because rows of one user resemble each other and intervals over rows would be too narrow.
 */

import { mismatch } from '../errors/index.js';
import { Random } from '../random/index.js';

/** Standard normal quantile of a two-sided 95 % interval. */
const Z_95 = 1.959963984540054;

/** A figure with what it was counted from and its 95 % interval. */
export interface Estimate {
  value: number;
  /** Lower end of the 95 % interval. */
  low: number;
  /** Upper end of the 95 % interval. */
  high: number;
  /** Numerator: the hits, or the sum of the rows' values. */
  count: number;
  /** Denominator: the rows counted. */
  total: number;
  interval: 'wilson' | 'bootstrap';
}

/** One row's part of a metric: adds `value` to the numerator and `weight` to the denominator. */
export interface Part {
  value: number;
  /** 1, or 0 for a row outside the metric's denominator. */
  weight: number;
}

export interface BootstrapOptions {
  seed: number;
  resamples: number;
}

/**
 * Wilson score interval of a proportion.
 *
 * (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)
 *
 * @param count  successes, 0..total
 * @param total  independent trials, at least 1
 */
export function wilson(count: number, total: number): { low: number; high: number } {
  if (!(total > 0) || !(count >= 0) || count > total)
    throw mismatch('data', {
      where: 'wilson(count, total)',
      expected: '0 <= count <= total and total > 0',
      got: [count, total],
    });
  const p = count / total;
  const z2 = Z_95 * Z_95;
  const centre = p + z2 / (2 * total);
  const spread = Z_95 * Math.sqrt((p * (1 - p)) / total + z2 / (4 * total * total));
  const scale = 1 + z2 / total;
  // At the edges the formula is exactly 0 or 1 but for rounding.
  return {
    low: count === 0 ? 0 : Math.max(0, (centre - spread) / scale),
    high: count === total ? 1 : Math.min(1, (centre + spread) / scale),
  };
}

/** Row indices of each user, users in order of first appearance. */
export function groupByUser(users: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  users.forEach((user, index) => {
    const group = groups.get(user);
    if (group === undefined) groups.set(user, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

/**
 * Percentile interval of Σ value / Σ weight when whole users are drawn with replacement.
 *
 * @param parts   one per row
 * @param groups  row indices of each user
 * @returns 2.5 % and 97.5 % quantiles over the resamples
 */
export function bootstrapRatio(
  parts: readonly Part[],
  groups: readonly (readonly number[])[],
  { seed, resamples }: BootstrapOptions,
): { low: number; high: number } {
  const values = new Float64Array(groups.length);
  const weights = new Float64Array(groups.length);
  groups.forEach((rows, user) => {
    for (const row of rows) {
      values[user]! += parts[row]!.value;
      weights[user]! += parts[row]!.weight;
    }
  });
  if (!(weights.reduce((sum, weight) => sum + weight, 0) > 0))
    throw mismatch('data', {
      where: 'bootstrapRatio(parts)',
      expected: 'at least one row in the denominator',
      got: parts.length,
    });
  const random = new Random(seed, 'bootstrap');
  const ratios = new Float64Array(resamples);
  for (let sample = 0; sample < resamples; ) {
    let value = 0;
    let weight = 0;
    for (let draw = 0; draw < values.length; draw++) {
      const user = random.int(values.length);
      value += values[user]!;
      weight += weights[user]!;
    }
    // A draw without any row of the denominator says nothing about the ratio: draw again.
    if (weight > 0) ratios[sample++] = value / weight;
  }
  ratios.sort();
  return { low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

/**
 * Estimates Σ value / Σ weight over rows.
 *
 * @param parts       one per row
 * @param users       the user of each row
 * @param proportion  whether every value is 0 or 1
 * @returns undefined when no row is in the denominator
 */
export function estimate(
  parts: readonly Part[],
  users: readonly string[],
  { proportion, ...bootstrap }: BootstrapOptions & { proportion: boolean },
): Estimate | undefined {
  const count = parts.reduce((sum, part) => sum + part.value, 0);
  const total = parts.reduce((sum, part) => sum + part.weight, 0);
  if (total === 0) return undefined;
  const value = count / total;
  const groups = groupByUser(users);
  if (proportion && groups.length === parts.length)
    return { value, ...wilson(count, total), count, total, interval: 'wilson' };
  const ends = bootstrapRatio(parts, groups, bootstrap);
  if (proportion && ends.low === ends.high && (value === 0 || value === 1)) {
    // All hits or none: every resample is the same, which is no certainty. Each user counts once.
    const numUsers = groups.filter((rows) => rows.some((row) => parts[row]!.weight > 0)).length;
    return { value, ...wilson(value * numUsers, numUsers), count, total, interval: 'wilson' };
  }
  return { value, ...ends, count, total, interval: 'bootstrap' };
}

/** Quantile of sorted values, interpolated linearly. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}
