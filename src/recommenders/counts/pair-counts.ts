/**
 * Weighted counts of pairs of items, sparse by row.
 */
import { checkedItem } from '../sequence/encoder.js';
import type { CountOptions } from './counting.js';

/** The pairs of one item with others, each once. */
export interface PairRow {
  columns: Int32Array;
  counts: Float64Array;
}

/** n(i, j) of all pairs, with their sums. */
export interface PairCounts {
  rows: readonly PairRow[]; // [N]
  /** Σⱼ n(i, j) */
  rowTotals: Float64Array; // [N]
  /** Σᵢ n(i, j) */
  columnTotals: Float64Array; // [N]
}

/** Which pairs of places of a sequence count, and how much. */
export interface PairRule {
  /** Places apart at most; at least 1. */
  window: number;
  /** Weight of a pair that is so many places apart. */
  weightOf(distance: number): number;
  /** Whether only (earlier, later) counts; else both orders do. */
  isDirected: boolean;
}

/** Counts the pairs of all sequences. @throws IloraError `data` for an item outside the catalog */
export function countPairs(
  { catalogSize, sequences }: CountOptions,
  { window, weightOf, isDirected }: PairRule,
  where: string,
): PairCounts {
  const rows = Array.from({ length: catalogSize }, () => new Map<number, number>());
  const count = (row: number, column: number, weight: number): void => {
    const own = rows[row] as Map<number, number>;
    own.set(column, (own.get(column) ?? 0) + weight);
  };
  for (const { items } of sequences) {
    for (const item of items) checkedItem(item, catalogSize, where);
    for (let place = 0; place < items.length; place++)
      for (let next = place + 1; next < items.length && next <= place + window; next++) {
        const [one, other] = [items[place] as number, items[next] as number];
        const weight = weightOf(next - place);
        count(one, other, weight);
        if (!isDirected) count(other, one, weight);
      }
  }
  return withTotals(
    rows.map((own) => {
      const columns = Int32Array.from(own.keys()).sort();
      return { columns, counts: Float64Array.from(columns, (column) => own.get(column) as number) };
    }),
  );
}

/** Rows with their sums. */
export function withTotals(rows: readonly PairRow[]): PairCounts {
  const rowTotals = new Float64Array(rows.length);
  const columnTotals = new Float64Array(rows.length);
  for (const [row, { columns, counts }] of rows.entries())
    for (const [i, column] of columns.entries()) {
      rowTotals[row]! += counts[i] as number;
      columnTotals[column]! += counts[i] as number;
    }
  return { rows, rowTotals, columnTotals };
}
