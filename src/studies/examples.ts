/**
 * A few test users to look at.
 */
import type { ShownItem, WorkedExample } from '../analysis/index.js';
import type { Dataset, Instance } from '../data/index.js';
import type { Evaluation } from '../evaluation/index.js';
import type { Model } from '../recommenders/index.js';
import { attributeLine } from '../text/index.js';

export type StudyExample = WorkedExample;

/** Items of a history that are shown; of a longer one the last ones. */
const SHOWN_ITEMS = 10;

/**
 * Three test users: the method's first hit, its first miss, and the next row. What searches the catalog ranks all of it
 * but what the user had; the others rank the row's candidates.
 */
export async function workedExamples(
  { recommender, retriever }: Model,
  { dataset, evaluation }: { dataset: Dataset; evaluation: Evaluation },
  test: readonly Instance[],
): Promise<StudyExample[]> {
  if (recommender === undefined) return [];
  const { outcomes } = evaluation;
  const hit = outcomes.findIndex((outcome) => outcome.hit);
  const miss = outcomes.findIndex((outcome) => !outcome.hit);
  const rows = new Set([hit, miss, 0, 1, 2].filter((row) => row >= 0 && row < test.length));
  const queries = [...rows].slice(0, 3).map((row) => {
    const instance = test[row] as Instance;
    if (retriever === undefined) return instance;
    const had = new Set(instance.history);
    const all = Array.from({ length: dataset.catalog.size }, (_, item) => item);
    return { ...instance, candidates: all.filter((item) => !had.has(item)) };
  });
  const scored = await recommender.score(queries);
  const shown = (item: number): ShownItem => {
    const { title = '', attributes } = dataset.catalog.items[item] ?? {};
    const details = attributeLine(attributes);
    return { title, ...(details !== undefined && { details }) };
  };
  return queries.map(({ user, history, candidates, target }, i) => {
    const { scores, gates } = scored[i]!;
    const earlier = history.length - SHOWN_ITEMS;
    return {
      user,
      history: history.slice(-SHOWN_ITEMS).map(shown),
      ...(earlier > 0 && { earlier }),
      candidates: candidates.map((item, place) => ({
        ...shown(item),
        score: scores[place]!,
        isTarget: item === target,
      })),
      ...(gates && { gates }),
    };
  });
}
