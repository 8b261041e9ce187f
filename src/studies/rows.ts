/**
 * The rows that methods are held against.
 */
import {
  type Dataset,
  evenlySpaced,
  type Instance,
  type Protocol,
  type SplitName,
} from '../data/index.js';

/** The first rows of a split, or all. */
export function rowsOf(
  dataset: Dataset,
  split: SplitName,
  {
    count = Number.POSITIVE_INFINITY,
    protocol = 'window',
  }: { count?: number; protocol?: Protocol } = {},
): Instance[] {
  return Array.from({ length: Math.min(count, dataset.rows(split)) }, (_, row) =>
    dataset.instance(split, row, { protocol }),
  );
}

/** Up to `count` rows of every user, evenly spaced, the last one always. */
export function perUser<Row extends { user: string }>(rows: readonly Row[], count: number): Row[] {
  const byUser = new Map<string, Row[]>();
  for (const row of rows) byUser.set(row.user, [...(byUser.get(row.user) ?? []), row]);
  return [...byUser.values()].flatMap((own) =>
    evenlySpaced(own.length, count).map((place) => own[place] as Row),
  );
}
