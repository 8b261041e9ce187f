/**
 * The task both do: next items on MovieLens-100K, each user's last item held out for the test and the one before
 * it for validation. Quality is NDCG@10 and HR@10 over the whole catalog without the history's own items.
 */
import type { Dataset } from '../../src/data/index.js';

export interface Task {
  /** Whole sequences, oldest first. */
  sequences: number[][];
  catalogSize: number;
  /** Next items to learn per epoch. */
  targets: number;
}

export interface Held {
  history: number[];
  target: number;
}

/** Sequences of all users of all splits with enough items for a target in each part. */
export function makeTask(dataset: Dataset, mostUsers = Number.POSITIVE_INFINITY): Task {
  const sequences = Array.from({ length: dataset.sequences.size }, (_, i) => [
    ...dataset.sequences.get(i).items,
  ])
    .filter((items) => items.length >= 5)
    .slice(0, mostUsers);
  const targets = sequences.reduce((sum, items) => sum + items.length - 3, 0);
  return { sequences, catalogSize: dataset.catalog.size, targets };
}

/** What is left to learn from. */
export const learned = (items: readonly number[]): number[] => items.slice(0, -2);

export function held(items: readonly number[], part: 'validation' | 'test'): Held {
  const at = items.length - (part === 'test' ? 1 : 2);
  return { history: items.slice(0, at), target: items[at] as number };
}

export interface Quality {
  ndcg_at_10: number;
  hr_at_10: number;
}

/**
 * @param scores of all items for each row, row-major; an item with a NaN never wins, an equal score counts against
 */
export function qualityOf(
  rows: readonly Held[],
  scores: Float32Array,
  catalogSize: number,
): Quality {
  let [ndcg, hits] = [0, 0];
  for (const [b, { history, target }] of rows.entries()) {
    const own = scores.subarray(b * catalogSize, (b + 1) * catalogSize);
    const seen = new Set(history);
    const score = own[target] as number;
    let rank = Number.isNaN(score) ? catalogSize : 1;
    for (let item = 0; item < catalogSize; item++)
      if (item !== target && !seen.has(item) && (own[item] as number) >= score) rank++;
    if (rank > 10) continue;
    hits++;
    ndcg += 1 / Math.log2(rank + 1);
  }
  return { ndcg_at_10: ndcg / rows.length, hr_at_10: hits / rows.length };
}

/** A model's quality after each epoch, and the seconds of training until then. */
export interface Curve {
  seconds: number;
  ndcg_at_10: number;
}

/** Seconds of training until a quality is reached. */
export function secondsTo(curve: readonly Curve[], quality: number): number | undefined {
  return curve.find(({ ndcg_at_10 }) => ndcg_at_10 >= quality)?.seconds;
}
