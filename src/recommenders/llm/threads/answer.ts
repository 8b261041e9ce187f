/**
 * What a thread can be asked of a model: plain data in, numbers out.
 */

import { internal } from '../../../errors/index.js';
import { noGrad, scope } from '../../../tensor/index.js';
import type { Scored } from '../../capability.js';
import { AdaptedModel } from '../adapted-model.js';
import { type GenerateTask, generateRow } from '../generate.js';
import type { Objective } from '../objectives/index.js';

export type AnswerTask =
  /** A task of the objective. */
  { kind: 'score'; task: unknown } | { kind: 'generate'; task: GenerateTask };

/** What comes of a task; nothing else of it stays. */
export function answerTo(
  model: unknown,
  objective: Objective,
  { kind, task }: AnswerTask,
): Scored[] | number[] {
  return noGrad(() =>
    scope((): Scored[] | number[] => {
      if (kind === 'score') return objective.score(model, task);
      if (model instanceof AdaptedModel) return generateRow(model, task);
      throw internal(`a model of ${objective.name} generates nothing`);
    }),
  );
}
