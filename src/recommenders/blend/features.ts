/**
 * What a blend sees of its members: for each query, one feature per member and item, over the whole catalog.
 *
 * A member's scores are standardised within the query: mean 0 and deviation 1 over the items that may be answers, which
 * are all outside the query's history. So members of any scale can be added up, and an item's features depend on the
 * query alone, never on which candidates are asked for.
 */
import type { Query } from '../../data/index.js';
import type { WorkOptions } from '../capability.js';
import type { Member } from '../method.js';
import { checkedItem } from '../sequence/encoder.js';
import { turn } from '../turn.js';

/** A query's features. */
export interface CatalogFeatures {
  /** [M, N], member after member. */
  features_MN: Float64Array;
  /** 1 for items of the history, [N]. */
  isSeen: Uint8Array;
}

/** Scores that are asked for at once, of one member. */
const BATCH_SCORES = 1 << 18;
const MOST_QUERIES = 64;
/** A deviation of so small a share of the mean is none. */
const ROUNDING = 1e-13;

/**
 * Features of each query, in order.
 * @param catalogSize N
 * @throws IloraError `data` for an item outside the catalog; AbortError when the signal fires
 */
export async function* catalogFeatures(
  members: readonly Member[],
  queries: readonly Query[],
  { catalogSize: N, signal }: Pick<WorkOptions, 'signal'> & { catalogSize: number },
): AsyncGenerator<CatalogFeatures> {
  const candidates = Array.from({ length: N }, (_, item) => item);
  const size = Math.max(1, Math.min(MOST_QUERIES, Math.floor(BATCH_SCORES / N)));
  for (let start = 0; start < queries.length; start += size) {
    await turn(signal);
    const batch = queries.slice(start, start + size);
    const asked = batch.map((query) => ({ ...query, candidates }));
    const found = batch.map(({ history }) => emptyFeatures(members.length, N, history));
    for (const [m, { model }] of members.entries()) {
      const scored = await model.recommender.score(asked, { ...(signal && { signal }) });
      for (const [q, { features_MN, isSeen }] of found.entries()) {
        const own_N = features_MN.subarray(m * N, (m + 1) * N);
        own_N.set(scored[q]?.scores ?? []);
        standardise(own_N, isSeen);
      }
    }
    yield* found;
  }
}

function emptyFeatures(members: number, N: number, history: readonly number[]): CatalogFeatures {
  const isSeen = new Uint8Array(N);
  for (const item of history) isSeen[checkedItem(item, N, 'blend: history')] = 1;
  return { features_MN: new Float64Array(members * N), isSeen };
}

/**
 * Shifts and scales scores to mean 0 and deviation 1 over the items that are not seen; over all where all are. Equal
 * scores become 0.
 */
export function standardise(scores_N: Float64Array, isSeen: Uint8Array): void {
  const unseen = isSeen.reduce((count, seen) => count + 1 - seen, 0);
  const counts = (item: number): boolean => unseen === 0 || isSeen[item] === 0;
  const count = unseen === 0 ? scores_N.length : unseen;
  let sum = 0;
  for (let item = 0; item < scores_N.length; item++)
    if (counts(item)) sum += scores_N[item] as number;
  const mean = sum / count;
  let squares = 0;
  for (let item = 0; item < scores_N.length; item++)
    if (counts(item)) squares += ((scores_N[item] as number) - mean) ** 2;
  const deviation = Math.sqrt(squares / count);
  // Equal scores may differ from their mean by rounding.
  const isFlat = deviation <= ROUNDING * Math.abs(mean);
  for (let item = 0; item < scores_N.length; item++)
    scores_N[item] = isFlat ? 0 : ((scores_N[item] as number) - mean) / deviation;
}
