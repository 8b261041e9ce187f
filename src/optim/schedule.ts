/**
 * Linear warm-up, then a half cosine.
 *
 * As in the authors' code of iLoRA and LLaRA: warm-up over a twentieth of all steps from 1/100 of the
 * rate, then down to 1/100.
 */
import { mismatch } from '../errors/index.js';

export interface ScheduleOptions {
  totalSteps: number;
  /** Steps until the full rate is reached. */
  warmupSteps: number;
  /** Factor at the first step, from 0 to 1. */
  startFactor?: number;
  /** Factor the cosine ends at, reached after the last step, from 0 to 1. */
  endFactor?: number;
}

/** The factor on all learning rates as a function of the step, from 0. */
export function warmupCosine({
  totalSteps,
  warmupSteps,
  startFactor = 0.01,
  endFactor = 0.01,
}: ScheduleOptions): (step: number) => number {
  if (!(totalSteps > 0) || warmupSteps < 0 || warmupSteps > totalSteps) {
    throw mismatch('usage', {
      where: 'warmupCosine',
      expected: 'steps > 0 and a warm-up within them',
      got: { totalSteps, warmupSteps },
    });
  }
  return (step) => {
    if (step < warmupSteps) return startFactor + (1 - startFactor) * (step / warmupSteps);
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    return endFactor + (1 - endFactor) * 0.5 * (1 + Math.cos(Math.PI * progress));
  };
}
