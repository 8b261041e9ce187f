/**
 * The best items of rows of scores.
 */
import type { RetrievalQuery } from '../data/index.js';
import { type Tensor, topk } from '../tensor/index.js';
import type { Retrieved } from './capability.js';

/** The best items of scores of the whole catalog; of equal ones the first. */
export function bestItems(
  scores_N: ArrayLike<number>,
  { history, count, includesHistory = false }: RetrievalQuery,
): Retrieved {
  const seen = new Set(includesHistory ? [] : history);
  const items = Array.from({ length: scores_N.length }, (_, item) => item)
    .filter((item) => !seen.has(item))
    .sort((a, b) => (scores_N[b] as number) - (scores_N[a] as number) || a - b)
    .slice(0, count);
  return { items, scores: items.map((item) => scores_N[item] as number) };
}

/** `bestItems` of scores that are tensors. @param scores_BN a row per query */
export function bestOf(scores_BN: Tensor, queries: readonly RetrievalQuery[]): Retrieved[] {
  const N = scores_BN.axis(1);
  const seen = queries.map(
    ({ history, includesHistory = false }) => new Set(includesHistory ? [] : history),
  );
  const most = Math.max(...queries.map(({ count }, b) => count + (seen[b] as Set<number>).size));
  const k = Math.min(N, most);
  const { values, indices } = topk(scores_BN, k);
  const [scores, items] = [values.toNumbers(), indices.toNumbers()];
  return queries.map(({ count }, b) => {
    const own: Retrieved = { items: [], scores: [] };
    const [kept, theirs] = [own.items as number[], own.scores as number[]];
    for (let i = b * k; i < (b + 1) * k && kept.length < count; i++) {
      const item = items[i] as number;
      if ((seen[b] as Set<number>).has(item)) continue;
      kept.push(item);
      theirs.push(scores[i] as number);
    }
    return own;
  });
}
