/**
 * Conditional logit: the probability that an alternative is chosen, of all alternatives of its row.
 *
 * P(i | row) = exp(w · x_i) / Σ_k exp(w · x_k) (McFadden 1974). The weights minimise the mean negative log-likelihood
 * of the chosen alternatives plus a ridge. That is convex, so Newton's method finds the one minimum from anywhere; all
 * sums are in float64 and in the order of the rows, so the same rows give the same bits.
 */
import { mismatch } from '../../errors/index.js';
import { turn } from '../turn.js';

/** One row: what was chosen, and what else might have been. */
export interface Choice {
  /** Features of every alternative, one after the other, [K, F]; those of the chosen one come first. */
  features_KF: Float32Array;
}

/** Where the loss stands at some weights. */
export interface LogitLoss {
  /** (Σ negative log-likelihood + ridge / 2 · |w|²) / rows, in nats. */
  value: number;
  gradient: Float64Array; // [F]
  hessian: Float64Array; // [F, F]
}

export interface LogitOptions {
  /** F */
  features: number;
  /** Penalty on the squared weights beside the sum of losses; above 0, so that there is one minimum. */
  ridge: number;
  signal?: AbortSignal;
}

/** The gradient's largest part at which the weights count as found. */
const TOLERANCE = 1e-9;
const MAX_STEPS = 100;
/** Alternatives, over all rows, between two turns of the event loop. */
const TURN = 1 << 20;

/**
 * The weights of the minimum, [F].
 * @throws IloraError `data` for no rows; AbortError when the signal fires
 */
export async function fitLogit(
  choices: readonly Choice[],
  options: LogitOptions,
): Promise<Float64Array> {
  const { features: F } = options;
  if (choices.length === 0)
    throw mismatch('data', { where: 'fitLogit(choices)', expected: 'at least one row', got: 0 });
  let weights = new Float64Array(F);
  let loss = await logitLoss(choices, weights, options);
  for (let step = 0; step < MAX_STEPS; step++) {
    if (loss.gradient.every((part) => Math.abs(part) <= TOLERANCE)) break;
    const direction = solve(loss.hessian, loss.gradient);
    // A whole step may overshoot where the loss bends; a short enough one always descends.
    for (let length = 1; ; length /= 2) {
      const next = weights.map((weight, f) => weight - length * (direction[f] as number));
      const there = await logitLoss(choices, next, options);
      if (there.value < loss.value) {
        [weights, loss] = [next, there];
        break;
      }
      if (length < 1e-6) return weights; // rounding hides any further descent
    }
  }
  return weights;
}

/** Loss, gradient and second derivatives at some weights. */
export async function logitLoss(
  choices: readonly Choice[],
  weights: Float64Array,
  { features: F, ridge, signal }: LogitOptions,
): Promise<LogitLoss> {
  let value = 0;
  const gradient = new Float64Array(F);
  const hessian = new Float64Array(F * F);
  const mean = new Float64Array(F);
  const square = new Float64Array(F * F);
  let sinceTurn = TURN;
  for (const { features_KF } of choices) {
    const K = features_KF.length / F;
    sinceTurn += K;
    if (sinceTurn >= TURN) {
      await turn(signal);
      sinceTurn = 0;
    }
    const scores = scoresOf(features_KF, weights);
    const highest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
    let total = 0;
    mean.fill(0);
    square.fill(0);
    for (let k = 0; k < K; k++) {
      const odds = Math.exp((scores[k] as number) - highest);
      total += odds;
      for (let f = 0; f < F; f++) {
        const part = odds * (features_KF[k * F + f] as number);
        mean[f]! += part;
        for (let g = 0; g <= f; g++)
          square[f * F + g]! += part * (features_KF[k * F + g] as number);
      }
    }
    value += highest + Math.log(total) - (scores[0] as number);
    for (let f = 0; f < F; f++) {
      mean[f]! /= total;
      gradient[f]! += (mean[f] as number) - (features_KF[f] as number);
      for (let g = 0; g <= f; g++)
        hessian[f * F + g]! +=
          (square[f * F + g] as number) / total - (mean[f] as number) * (mean[g] as number);
    }
  }
  const rows = choices.length;
  const penalty = ridge / rows;
  value /= rows;
  for (let f = 0; f < F; f++) {
    const weight = weights[f] as number;
    value += (penalty / 2) * weight * weight;
    gradient[f] = (gradient[f] as number) / rows + penalty * weight;
    for (let g = 0; g <= f; g++) {
      const bend = (hessian[f * F + g] as number) / rows + (f === g ? penalty : 0);
      hessian[f * F + g] = bend;
      hessian[g * F + f] = bend;
    }
  }
  return { value, gradient, hessian };
}

/** w · x of every alternative, [K]. */
export function scoresOf(features_KF: Float32Array, weights: Float64Array): Float64Array {
  const F = weights.length;
  const scores = new Float64Array(features_KF.length / F);
  for (let k = 0; k < scores.length; k++)
    for (let f = 0; f < F; f++)
      scores[k]! += (weights[f] as number) * (features_KF[k * F + f] as number);
  return scores;
}

/** Solves A x = b for a symmetric positive definite A, by Cholesky's factors. */
function solve(matrix: Float64Array, right: Float64Array): Float64Array {
  const F = right.length;
  const lower = new Float64Array(F * F);
  const solution = Float64Array.from(right);
  for (let f = 0; f < F; f++)
    for (let g = 0; g <= f; g++) {
      let rest = matrix[f * F + g] as number;
      for (let h = 0; h < g; h++)
        rest -= (lower[f * F + h] as number) * (lower[g * F + h] as number);
      lower[f * F + g] = f === g ? Math.sqrt(rest) : rest / (lower[g * F + g] as number);
    }
  for (let f = 0; f < F; f++) {
    for (let g = 0; g < f; g++)
      solution[f]! -= (lower[f * F + g] as number) * (solution[g] as number);
    solution[f]! /= lower[f * F + f] as number;
  }
  for (let f = F - 1; f >= 0; f--) {
    for (let g = f + 1; g < F; g++)
      solution[f]! -= (lower[g * F + f] as number) * (solution[g] as number);
    solution[f]! /= lower[f * F + f] as number;
  }
  return solution;
}
