/**
 * The rows that methods are held against.
 */
import { type Dataset, evenlySpaced, type Instance, type SplitName } from '../data/index.js';

/** The first rows of a split, or all. */
export function rowsOf(
  dataset: Dataset,
  split: SplitName,
  count = Number.POSITIVE_INFINITY,
): Instance[] {
  return Array.from({ length: Math.min(count, dataset.rows(split)) }, (_, row) =>
    dataset.instance(split, row),
  );
}

/** Up to `count` rows of every user, evenly spaced, the last one always. */
export function perUser(rows: readonly Instance[], count: number): Instance[] {
  const byUser = new Map<string, Instance[]>();
  for (const row of rows) byUser.set(row.user, [...(byUser.get(row.user) ?? []), row]);
  return [...byUser.values()].flatMap((own) =>
    evenlySpaced(own.length, count).map((place) => own[place] as Instance),
  );
}
