/** What the runs of the proofs validate by. */
import { evaluate } from '../../src/evaluation/index.js';
import { SELECTABLE } from '../../src/recommenders/index.js';
import type { RunHooks } from '../../src/training/index.js';

/** Quality on validation, as the command line takes it, without intervals. */
export const score: NonNullable<RunHooks['score']> = async (recommender, instances, options) => {
  const { metrics } = await evaluate(recommender, instances, { resamples: 1, ...options });
  return Object.fromEntries(SELECTABLE.map((name) => [name, metrics[name]?.value]));
};
