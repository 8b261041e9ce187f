/**
 * Popularity: an item's score is how often the training sequences contain it.
 *
 * The floor that every method has to clear. Where negatives are drawn uniformly it is far above
 * chance, because targets are popular and negatives are not.
 */
import { faults } from '../../errors/index.js';
import { Tensor } from '../../tensor/index.js';
import type { Storage } from '../fitted.js';
import { checkedItem } from '../sequence/encoder.js';
import { Counting, type CountOptions, savedNumbers } from './counting.js';

export class Popularity extends Counting {
  readonly name = 'popularity';
  readonly #counts: Float64Array; // [N]

  constructor({ catalogSize, sequences, counts }: CountOptions & { counts?: Float64Array }) {
    super(catalogSize);
    this.#counts = counts ?? new Float64Array(catalogSize);
    for (const { items } of sequences)
      for (const item of items) this.#counts[checkedItem(item, catalogSize, 'Popularity')]! += 1;
  }

  /** Interactions of each item, [N]. */
  get counts(): Float64Array {
    return this.#counts;
  }

  protected scores(_history: readonly number[], items: readonly number[]): number[] {
    return items.map((item) => this.#counts[item] as number);
  }
}

/** One tensor: the counts. */
export function popularityStorage(catalogSize: number): Storage<Popularity> {
  return {
    state: ({ counts }) => new Map([['counts', Tensor.from(counts)]]),
    read(saved, where) {
      const { counts } = savedNumbers(saved, { counts: catalogSize }, where);
      if (!counts.every((count) => count >= 0 && Number.isFinite(count)))
        throw faults('format', where, ['counts: expected finite numbers of at least 0']);
      return new Popularity({ catalogSize, sequences: [], counts: Float64Array.from(counts) });
    },
  };
}
