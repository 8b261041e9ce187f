/**
 * One optimizer step: gradients, clipping, update. The loop calls it, and so can any other loop.
 */
import { type Adam, clipGradients } from '../optim/index.js';
import type { Learner, TrainingPosition } from '../recommenders/index.js';
import { scope } from '../tensor/index.js';
import type { GradientSource } from './gradients/source.js';
import { notFinite } from './training-error.js';

/** What a step found before it moved the parameters. */
export interface StepFigures {
  /** Mean loss per target, in nats. */
  loss: number;
  /** Joint norm of all gradients before clipping. */
  gradientNorm: number;
}

export interface StepOptions {
  gradients: GradientSource;
  /** Bound on the joint norm of all gradients; 0 for none. */
  clipNorm: number;
  /** Of the learning rates. */
  factor: number;
  signal?: AbortSignal;
  /** Called when the gradients are there and before any parameter moves. */
  beforeUpdate?: (figures: StepFigures) => void;
}

/**
 * @throws IloraError `training` when loss or gradients are not finite; no parameter has moved then
 * @throws AbortError when the signal fires; no parameter has moved then
 */
export async function trainingStep(
  learner: Pick<Learner, 'examples'>,
  optimizer: Adam,
  position: TrainingPosition,
  { gradients, clipNorm, factor, signal, beforeUpdate }: StepOptions,
): Promise<StepFigures> {
  optimizer.zeroGrad();
  const loss = await gradients.accumulate(position, signal);
  const gradientNorm = scope(() =>
    clipGradients(optimizer.parameters, clipNorm > 0 ? clipNorm : Number.POSITIVE_INFINITY),
  );
  if (!Number.isFinite(gradientNorm))
    throw notFinite('gradient norm', gradientNorm, {
      step: position.step,
      rows: position.batch.map((example) => example % learner.examples),
    });
  beforeUpdate?.({ loss, gradientNorm });
  optimizer.step(factor);
  return { loss, gradientNorm };
}
