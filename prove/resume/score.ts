/** What the runs of the proofs validate by. */
import { evaluate } from '../../src/evaluation/index.js';
import type { RunHooks } from '../../src/training/index.js';

/** Quality on validation, as the command line takes it, without intervals. */
export const score: NonNullable<RunHooks['score']> = async (recommender, instances, signal) => {
  const { metrics } = await evaluate(recommender, instances, { resamples: 1, signal });
  const { hr_at_1, ndcg_at_10, mrr } = metrics;
  return {
    hr_at_1: hr_at_1?.value ?? 0,
    ndcg_at_10: ndcg_at_10?.value ?? 0,
    mrr: mrr?.value ?? 0,
  };
};
