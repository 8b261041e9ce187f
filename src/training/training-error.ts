/**
 * How training ends when it cannot go on: what happened, where, what is saved, what to do.
 */
import { AbortError, IloraError } from '../errors/index.js';
import type { Tensor } from '../tensor/index.js';
import { likelyCause } from './finite.js';

/** A loss, a gradient or a state that is not finite. */
export class NotFiniteError extends IloraError {
  constructor(message: string, details: Record<string, unknown>) {
    super('training', message, details);
    this.name = 'NotFiniteError';
  }
}

/** @param rows training windows of the part, or of the whole step */
export function notFinite(
  what: string,
  value: number,
  { step, rows }: { step: number; rows: readonly number[] },
): NotFiniteError {
  const shown = rows.length > 8 ? `${rows.slice(0, 8).join(', ')} ...` : rows.join(', ');
  return new NotFiniteError(
    `training: expected a finite ${what}, got ${value} at step ${step + 1} (examples ${shown})`,
    { step, examples: [...rows] },
  );
}

/** Trained values or moments are not finite after a step: such a state is not saved. */
export function notFiniteState(keys: readonly string[], step: number): NotFiniteError {
  const others = keys.length > 1 ? ` and ${keys.length - 1} more` : '';
  return new NotFiniteError(
    `training: expected finite values after step ${step}, got infinities or NaN in ${keys[0]}${others} — the learning rate is too high, or the base holds such values`,
    { step, keys: [...keys] },
  );
}

/**
 * The error to end with.
 *
 * @param error   what stopped training
 * @param unsaved why the state could not be saved after it; undefined if it was
 */
export function ending(
  error: unknown,
  unsaved: unknown,
  { step, totalSteps, tensors }: { step: number; totalSteps: number; tensors: Map<string, Tensor> },
): unknown {
  const isSaved = unsaved === undefined;
  const goesOn = '--resume goes on from the last whole checkpoint';
  if (isAbort(error)) {
    const text = `stopped after step ${step} of ${totalSteps}`;
    if (isSaved) return new AbortError(`${text}; the state is saved, --resume continues it`);
    return extended(unsaved, `${text}, which could not be saved; ${goesOn}`);
  }
  if (error instanceof NotFiniteError) {
    if (error === unsaved || error.details.keys !== undefined) return extended(error, goesOn);
    if (!isSaved) return extended(error, `${(unsaved as Error).message}; ${goesOn}`);
    return new NotFiniteError(
      `${error.message} — the state before it is saved; likely cause: ${likelyCause(tensors)}`,
      error.details,
    );
  }
  return isSaved ? error : extended(error, `nothing that was saved is lost: ${goesOn}`);
}

/** An error with a line more. */
function extended(error: unknown, line: string): unknown {
  if (!(error instanceof IloraError)) return error;
  return new IloraError(error.code, `${error.message}\n  ${line}`, error.details, error);
}

/** Whether an error means that the user asked to stop. */
export function isAbort(error: unknown): boolean {
  return error instanceof AbortError || (error instanceof Error && error.name === 'AbortError');
}
