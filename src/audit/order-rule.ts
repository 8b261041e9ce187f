/**
 * A rule that exploits one order for all users: rule out what is proved to come before the last
 * history item, and score the rest as another recommender does.
 */
import type { CandidateQuery } from '../data/index.js';
import type { Recommender, Scored } from '../recommenders/index.js';
import type { CommonOrder } from './common-order.js';

/** Scores as `inner` does, after ruling out what comes earlier in the common order. */
export class OrderRule implements Recommender {
  readonly name = 'order and cooccurrence';
  readonly trainableParameters = 0;

  constructor(
    private readonly inner: Recommender,
    private readonly order: CommonOrder,
  ) {}

  async score(queries: readonly CandidateQuery[]): Promise<Scored[]> {
    const scored = await this.inner.score(queries);
    return scored.map(({ scores }, i) => {
      const { history, candidates } = queries[i]!;
      const last = history.at(-1)!;
      return {
        scores: scores.map((score, k) =>
          this.order.isBefore(candidates[k]!, last) ? Number.NEGATIVE_INFINITY : score,
        ),
      };
    });
  }
}
