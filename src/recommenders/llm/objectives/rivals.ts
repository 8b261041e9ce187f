/**
 * What a target is held against in training: the whole catalog, a sample of it, or a list for each place. Items that
 * training never has are in none of them.
 */
import type { Random } from '../../../random/index.js';

/** What a place's target is held against. */
export type Rivals =
  /** All items of the catalog. */
  | { kind: 'catalog' }
  /**
   * A sample of items, the same for all places of a step. The more likely an item is in it, the more its score is
   * lowered, by the logarithm of that probability (logQ). So the sum over the sample is, on average, the sum over the
   * catalog. Bengio & Senécal, IEEE Trans. Neural Networks 2008. The target is always there, so it is not lowered.
   */
  | { kind: 'sample'; items: readonly number[]; logExpected: readonly number[] }
  /** A list of its own for each place: uniform items, and some of those that the encoder likes best. */
  | { kind: 'list'; uniform: readonly (readonly number[])[]; hard: number };

/** How rivals are drawn. */
export type RivalOptions =
  | { kind: 'catalog' }
  /** So many draws by how often items occur, to the power of 3/4. */
  | { kind: 'sample'; count: number }
  /** So many for each place, a share of them from those that the encoder likes best. */
  | { kind: 'list'; count: number; hardShare: number };

/** Draws items of training by how often they occur, smoothed. */
export class PopularitySampler {
  /** Sums of the weights up to each item. */
  readonly #sums: Float64Array;

  constructor(sequences: Iterable<{ items: Iterable<number> }>, catalogSize: number) {
    const counts = new Float64Array(catalogSize);
    for (const { items } of sequences)
      for (const item of items) counts[item] = (counts[item] as number) + 1;
    this.#sums = counts.map((count) => (count === 0 ? 0 : (count + 1) ** 0.75));
    for (let i = 1; i < catalogSize; i++)
      this.#sums[i] = (this.#sums[i] as number) + (this.#sums[i - 1] as number);
  }

  /** Different items of so many draws, in the order of the catalog. */
  draw(count: number, random: Random): number[] {
    const total = this.#sums.at(-1) as number;
    const drawn = new Set<number>();
    for (let i = 0; i < count; i++) drawn.add(firstAbove(this.#sums, random.uniform() * total));
    return [...drawn].sort((a, b) => a - b);
  }

  /** Logarithm of the probability that an item is among so many draws. */
  logExpected(item: number, count: number): number {
    const sums = this.#sums;
    const before = item === 0 ? 0 : (sums[item - 1] as number);
    const share = ((sums[item] as number) - before) / (sums.at(-1) as number);
    return Math.log(-Math.expm1(count * Math.log1p(-share)));
  }
}

/** First place whose value is above x, in rising values. */
function firstAbove(values: Float64Array, x: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) > x) high = middle;
    else low = middle + 1;
  }
  return low;
}
