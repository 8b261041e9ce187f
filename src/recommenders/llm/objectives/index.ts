/**
 * The objectives by name.
 */
import { mismatch } from '../../../errors/index.js';
import { nextItem } from './next-item.js';
import type { Objective } from './objective.js';
import { titleLikelihood } from './title-likelihood.js';

export type { Examples, LossOptions, Objective } from './objective.js';

const OBJECTIVES: readonly Objective[] = [titleLikelihood, nextItem] as Objective[];

/** Names that a method can have as its objective. */
export const OBJECTIVE_NAMES: readonly string[] = OBJECTIVES.map(({ name }) => name);

/** @throws IloraError `usage` for a name that is none */
export function objectiveNamed(name: string): Objective {
  const found = OBJECTIVES.find((objective) => objective.name === name);
  if (found !== undefined) return found;
  throw mismatch('usage', { where: 'objective', expected: OBJECTIVE_NAMES.join(', '), got: name });
}
