/**
 * Where the gradients of a step come from: this thread, part by part, or workers that share the parts.
 */
import { type Learner, type TrainingPosition, turn } from '../../recommenders/index.js';
import { mul, scope } from '../../tensor/index.js';
import { notFinite } from '../training-error.js';

export interface GradientSource {
  /**
   * Adds the gradients of a step's mean loss to those of the learner's parameters.
   * @returns mean loss per target, in nats
   * @throws AbortError when the signal fires
   * @throws IloraError `training` when a loss is not finite
   */
  accumulate(position: TrainingPosition, signal?: AbortSignal): Promise<number>;
  /** Gives back what it holds beside the learner. */
  close(): Promise<void>;
}

/** The parts of a step one after the other, in this thread with all that libtorch uses inside an operator. */
export class OwnGradients implements GradientSource {
  constructor(readonly learner: Learner) {}

  async accumulate(position: TrainingPosition, signal?: AbortSignal): Promise<number> {
    const { learner } = this;
    const { batch } = position;
    const targets = learner.countTargets(batch, position);
    let loss = 0;
    for (const part of learner.cut(batch, position)) {
      await turn(signal);
      const partLoss = scope(() => mul(learner.loss(part, position), 1 / Math.max(1, targets)));
      try {
        loss += partLoss.item();
        await turn(signal);
        partLoss.backward();
      } finally {
        partLoss.dispose();
      }
      checkLoss(loss, part, position, learner);
    }
    return loss;
  }

  async close(): Promise<void> {}
}

/** @throws NotFiniteError naming the rows of a part */
export function checkLoss(
  loss: number,
  part: readonly number[],
  { step }: TrainingPosition,
  { examples }: Learner,
): void {
  if (!Number.isFinite(loss))
    throw notFinite('loss', loss, { step, rows: part.map((example) => example % examples) });
}
