/**
 * A rule that exploits one order for all users: rule out what is proved to come before the last
 * history item, and rank the rest as another recommender does.
 */
import type { Instance } from '../data/index.js';
import type { Ranking, Recommender } from '../recommenders/index.js';
import type { CommonOrder } from './common-order.js';

/** Ranks as `inner` does, after ruling out what comes earlier in the common order. */
export class OrderRule implements Recommender {
  readonly name = 'order and cooccurrence';
  readonly trainableParameters = 0;

  constructor(
    private readonly inner: Recommender,
    private readonly order: CommonOrder,
  ) {}

  async rank(instances: readonly Instance[]): Promise<Ranking[]> {
    const rankings = await this.inner.rank(instances);
    return rankings.map(({ scores }, i) => {
      const { history, candidates } = instances[i]!;
      const last = history.at(-1)!;
      return {
        scores: scores.map((score, k) =>
          this.order.isBefore(candidates[k]!, last) ? Number.NEGATIVE_INFINITY : score,
        ),
      };
    });
  }
}
