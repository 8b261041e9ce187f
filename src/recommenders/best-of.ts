/**
 * The best items of rows of scores.
 */
import type { RetrievalQuery } from '../data/index.js';
import { type Tensor, topk } from '../tensor/index.js';
import type { Retrieved } from './capability.js';

/** @param scores_BN a row per query, over the whole catalog */
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
