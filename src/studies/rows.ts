/**
 * The rows that methods are held against.
 */
import type { Dataset, Instance, SplitName } from '../data/index.js';

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
  return [...byUser.values()].flatMap((own) => {
    const kept = Math.min(count, own.length);
    return Array.from(
      { length: kept },
      (_, i) => own[Math.ceil(((i + 1) * own.length) / kept) - 1] as Instance,
    );
  });
}
