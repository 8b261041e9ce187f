/**
 * A few test users to look at.
 */
import type { ShownItem, WorkedExample } from '../analysis/index.js';
import type { Dataset, Instance } from '../data/index.js';
import type { Evaluation } from '../evaluation/index.js';
import { attributeLine } from '../text/index.js';

export type StudyExample = WorkedExample;

/** Three test users: the method's first hit, its first miss, and the next row. */
export function workedExamples(
  dataset: Dataset,
  { outcomes }: Evaluation,
  test: readonly Instance[],
): StudyExample[] {
  const hit = outcomes.findIndex((outcome) => outcome.hit);
  const miss = outcomes.findIndex((outcome) => !outcome.hit);
  const rows = new Set([hit, miss, 0, 1, 2].filter((row) => row >= 0 && row < test.length));
  const shown = (item: number): ShownItem => {
    const { title = '', attributes } = dataset.catalog.items[item] ?? {};
    const details = attributeLine(attributes);
    return { title, ...(details !== undefined && { details }) };
  };
  return [...rows].slice(0, 3).map((row) => {
    const { user, history, candidates, target } = test[row] as Instance;
    const { scores = [], gates } = outcomes[row] ?? {};
    return {
      user,
      history: history.map(shown),
      candidates: candidates.map((item, i) => ({
        ...shown(item),
        score: scores[i] ?? 0,
        isTarget: item === target,
      })),
      ...(gates && { gates }),
    };
  });
}
