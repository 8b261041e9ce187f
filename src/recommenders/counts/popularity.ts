/**
 * Popularity: a candidate's score is how often the training sequences contain it.
 *
 * The floor that every method has to clear. Where negatives are drawn uniformly it is far above
 * chance, because targets are popular and negatives are not.
 */
import type { Instance } from '../../data/index.js';
import { mismatch } from '../../errors/index.js';
import type { Ranking, RankOptions, Recommender } from '../recommender.js';

/** What counting needs of a dataset. */
export interface CountOptions {
  /** N */
  catalogSize: number;
  /** Training sequences only, oldest item first. */
  sequences: readonly { items: Int32Array }[];
}

/** Ranks candidates by their number of training interactions. */
export class Popularity implements Recommender {
  readonly name = 'popularity';
  readonly trainableParameters = 0;
  private readonly counts: Float64Array; // [N]

  constructor({ catalogSize, sequences }: CountOptions) {
    this.counts = new Float64Array(catalogSize);
    for (const { items } of sequences)
      for (const item of items) this.counts[checkedItem(item, catalogSize, 'Popularity')]! += 1;
  }

  async rank(instances: readonly Instance[], options: RankOptions = {}): Promise<Ranking[]> {
    const rankings = instances.map(({ candidates }) => ({
      scores: candidates.map(
        (item) => this.counts[checkedItem(item, this.counts.length, 'Popularity.rank')]!,
      ),
    }));
    options.onProgress?.(instances.length);
    return rankings;
  }
}

/** The item itself, if the catalog has it. */
export function checkedItem(item: number, catalogSize: number, where: string): number {
  if (!Number.isInteger(item) || item < 0 || item >= catalogSize)
    throw mismatch('data', { where, expected: `an item in [0, ${catalogSize})`, got: item });
  return item;
}
