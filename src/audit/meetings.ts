/**
 * Co-occurrence counts for the rows at hand only: exact, and small however long the training
 * sequences are. All pairs of a million interactions would fill gigabytes; a few thousand rows ask
 * about some hundred thousand of them.
 */
import type { Instance, Sequence } from '../data/index.js';
import type { PairCounts } from '../recommenders/index.js';

/** Meetings at most `window` places apart: complete totals, and counts of history with candidates. */
export function countMeetingsFor(
  instances: readonly Instance[],
  sequences: Iterable<Sequence>,
  { catalogSize, window }: { catalogSize: number; window: number },
): PairCounts {
  const asked = askedPairs(instances);
  const rows = Array.from({ length: catalogSize }, () => new Map<number, number>());
  const totals = new Float64Array(catalogSize);
  const meet = (one: number, other: number): void => {
    totals[one]!++;
    if (!asked.get(one)?.has(other)) return;
    const row = rows[one]!;
    row.set(other, (row.get(other) ?? 0) + 1);
  };
  for (const { items } of sequences)
    for (let place = 0; place < items.length; place++)
      for (let next = place + 1; next < items.length && next <= place + window; next++) {
        meet(items[place]!, items[next]!);
        meet(items[next]!, items[place]!);
      }
  const pairs = rows.map((row) => ({
    columns: Int32Array.from(row.keys()),
    counts: Float64Array.from(row.values()),
  }));
  return { rows: pairs, rowTotals: totals, columnTotals: totals };
}

function askedPairs(instances: readonly Instance[]): Map<number, Set<number>> {
  const asked = new Map<number, Set<number>>();
  for (const { history, candidates } of instances)
    for (const item of history) {
      const others = asked.get(item) ?? new Set<number>();
      asked.set(item, others);
      for (const candidate of candidates) others.add(candidate);
    }
  return asked;
}
