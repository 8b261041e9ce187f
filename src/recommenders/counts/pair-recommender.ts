/**
 * Scores by counts of pairs: what co-occurrence and Markov chains share.
 *
 * score(c) = Σₗ decay^(L−1−l) · n(hₗ, c) / ((n(hₗ, ·) + s)^a (n(·, c) + s)^a)
 *
 * s is the shrinkage, a the normalisation, l = 0 the oldest history item. a = 0 keeps raw counts and prefers popular
 * items, a = 0.5 is the cosine; the shrinkage keeps rare items from winning by one pair.
 */
import { z } from 'zod';
import { faults } from '../../errors/index.js';
import { Tensor } from '../../tensor/index.js';
import { type Numbers, type Ranges, savedSettings } from '../choice.js';
import type { Storage } from '../fitted.js';
import { Counting, savedNumbers } from './counting.js';
import { type PairCounts, type PairRow, withTotals } from './pair-counts.js';

/** Settings that every method of pairs has, and what they may be. */
export const pairRanges = {
  decay: z.number().gt(0).max(1),
  normalization: z.number().min(0).max(1),
  shrinkage: z.number().min(0),
};

export abstract class PairRecommender<K extends string> extends Counting {
  readonly #rowWeights: Float64Array; // [N]
  readonly #columnWeights: Float64Array; // [N]
  /** Scores under way, all 0 between two queries. */
  readonly #sums: Float64Array; // [N]

  constructor(
    readonly pairs: PairCounts,
    readonly settings: Numbers<K | keyof typeof pairRanges>,
  ) {
    super(pairs.rows.length);
    const { normalization, shrinkage } = settings;
    const weightsOf = (totals: Float64Array) =>
      totals.map((total) => (total + shrinkage > 0 ? (total + shrinkage) ** -normalization : 0));
    this.#rowWeights = weightsOf(pairs.rowTotals);
    this.#columnWeights = weightsOf(pairs.columnTotals);
    this.#sums = new Float64Array(this.catalogSize);
  }

  protected scores(history: readonly number[], items: readonly number[]): number[] {
    const sums = this.#sums;
    let weight = 1;
    for (const item of history.toReversed()) {
      const { columns, counts } = this.pairs.rows[item] as PairRow;
      const own = weight * (this.#rowWeights[item] as number);
      for (let i = 0; i < columns.length; i++) sums[columns[i]!]! += own * counts[i]!;
      weight *= this.settings.decay;
    }
    const scores = items.map((item) => sums[item]! * this.#columnWeights[item]!);
    for (const item of history)
      for (const column of (this.pairs.rows[item] as PairRow).columns) sums[column] = 0;
    return scores;
  }
}

/** The pairs as three columns, with the settings in the order of their ranges. */
export function pairStorage<K extends string, T extends PairRecommender<string>>(
  catalogSize: number,
  ranges: Ranges<K>,
  make: (pairs: PairCounts, settings: Record<K, number>) => T,
): Storage<T> {
  const names = Object.keys(ranges) as K[];
  return {
    state({ pairs, settings }) {
      const lengths = pairs.rows.map(({ columns }) => columns.length);
      const rows = Int32Array.from(
        lengths.flatMap((length, row) => new Array<number>(length).fill(row)),
      );
      const columns = new Int32Array(rows.length);
      const counts = new Float64Array(rows.length);
      let start = 0;
      for (const own of pairs.rows) {
        columns.set(own.columns, start);
        counts.set(own.counts, start);
        start += own.columns.length;
      }
      const values = names.map((name) => (settings as Record<K, number>)[name]);
      return new Map([
        ['rows', Tensor.from(rows)],
        ['columns', Tensor.from(columns)],
        ['counts', Tensor.from(counts)],
        ['settings', Tensor.from(Float64Array.from(values))],
      ]);
    },
    read(saved, where) {
      const lengths = {
        rows: undefined,
        columns: undefined,
        counts: undefined,
        settings: names.length,
      };
      const { rows, columns, counts, settings } = savedNumbers(saved, lengths, where);
      if (rows.length !== columns.length || rows.length !== counts.length)
        throw faults('format', where, ['rows, columns, counts: expected the same length']);
      if (!counts.every((count) => count > 0 && Number.isFinite(count)))
        throw faults('format', where, ['counts: expected finite numbers above 0']);
      const isItem = (item: number) => Number.isInteger(item) && item >= 0 && item < catalogSize;
      if (!rows.every(isItem) || !columns.every(isItem))
        throw faults('format', where, [`rows, columns: expected items below ${catalogSize}`]);
      const found = Array.from({ length: catalogSize }, () => new Map<number, number>());
      for (const [i, row] of rows.entries()) {
        const own = found[row] as Map<number, number>;
        if (own.has(columns[i] as number))
          throw faults('format', where, [`columns: expected each pair once, got row ${row} twice`]);
        own.set(columns[i] as number, counts[i] as number);
      }
      const pairRows = found.map((own) => ({
        columns: Int32Array.from(own.keys()),
        counts: Float64Array.from(own.values()),
      }));
      return make(withTotals(pairRows), savedSettings(settings, ranges, where));
    },
  };
}
