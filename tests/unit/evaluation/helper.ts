/** Small instances and fixed recommenders for the evaluation's tests. */
import type { Instance } from '../../../src/data/index.js';
import { type Evaluation, evaluate, evaluateGenerated } from '../../../src/evaluation/index.js';
import type { Recommender } from '../../../src/recommenders/index.js';

/** `count` rows with candidates 0..numCandidates-1 and target 0, one user each unless said. */
export function instances(
  count: number,
  { numCandidates = 4, userOf = (row: number) => `user ${row}` } = {},
): Instance[] {
  return Array.from({ length: count }, (_, row) => ({
    split: 'test' as const,
    row,
    user: userOf(row),
    history: [1, 2, 3],
    target: 0,
    candidates: Array.from({ length: numCandidates }, (_, item) => item),
  }));
}

/** A recommender that answers with the given scores. */
export function fixed(scores: readonly (readonly number[])[], name = 'fixed'): Recommender {
  return {
    name,
    trainableParameters: 7,
    score: async (rows) => rows.map((_, index) => ({ scores: scores[index]! })),
  };
}

/** An evaluation of texts; the title of an item is its number. */
export const generatedOf = (texts: readonly string[]): Evaluation =>
  evaluateGenerated({
    method: 'generated',
    trainableParameters: 7,
    instances: instances(texts.length),
    texts,
    titleOf: String,
    seconds: 1,
  });

/** An evaluation in which row i hits where `hits[i]`; misses place the target last. */
export function evaluationOf(
  hits: readonly boolean[],
  name: string,
  userOf?: (row: number) => string,
): Promise<Evaluation> {
  const rows = instances(hits.length, userOf === undefined ? {} : { userOf });
  const scores = hits.map((hit) => [hit ? 1 : -1, 0, 0.5, 0.25]);
  return evaluate(fixed(scores, name), rows, { resamples: 200 });
}
