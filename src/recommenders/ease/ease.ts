/**
 * EASE: a linear model from a history's items to all items, in closed form.
 *
 * H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019. It minimises ‖X − X B‖² + λ‖B‖² over B
 * with a zero diagonal, for rows X of users' items:
 *
 * P = (Xᵀ X + λ 1)⁻¹,  B_ij = −P_ij / P_jj for i ≠ j  (eq. 8)
 *
 * Differs: a row may be a run of neighbours instead of all a user has, and a history's older items may weigh less.
 */
import { z } from 'zod';
import type { Instance } from '../../data/index.js';
import { faults, mismatch } from '../../errors/index.js';
import { cast, cholesky, choleskyInverse, div, neg, scope, Tensor } from '../../tensor/index.js';
import { choose, inRange, type Numbers, savedSettings } from '../choice.js';
import { Counting, type CountOptions, savedNumbers } from '../counts/counting.js';
import type { Storage } from '../fitted.js';
import { gramOfRuns } from './gram.js';

/** What the settings may be. */
export const ranges = {
  window: z.int().min(0),
  regularization: z.number().gt(0),
  decay: z.number().gt(0).max(1),
};

/**
 * - `window`: neighbours in a row; 0 for all that a user has, as in the paper;
 * - `regularization`: λ;
 * - `decay`: weight of a history item relative to the next newer one; 1 in the paper.
 */
export type EaseSettings = Numbers<keyof typeof ranges>;

/** EASE's settings, some of them open. */
type OpenEase = { [K in keyof EaseSettings]?: number | undefined };

/** What `chooseEase` tries. */
const GRID = {
  window: [0, 10],
  regularization: [1000, 300, 3000, 10_000],
  decay: [0.9, 1, 0.8],
} as const;

/** Items up to which the model is made: it has a number for each pair, and the solution takes time with the cube. */
const MOST_ITEMS = 20_000;

/** score(c) = Σ decay^age · B[item, c] over the history's different items, each at its newest place. */
export class Ease extends Counting {
  readonly name = 'ease';

  /** @param weights B, row after row, [N · N] */
  constructor(
    readonly weights: Float32Array,
    readonly settings: EaseSettings,
  ) {
    super(Math.round(Math.sqrt(weights.length)));
  }

  override get trainableParameters(): number {
    return this.weights.length - this.catalogSize;
  }

  protected scores(history: readonly number[], items: readonly number[]): number[] {
    const scores = items.map(() => 0);
    const met = new Set<number>();
    let weight = 1;
    for (const item of history.toReversed()) {
      if (!met.has(item)) {
        met.add(item);
        const start = item * this.catalogSize;
        for (let i = 0; i < items.length; i++)
          scores[i]! += weight * this.weights[start + items[i]!]!;
      }
      weight *= this.settings.decay;
    }
    return scores;
  }
}

/**
 * The weights B of a Gram matrix.
 * @param gram Xᵀ X, [N · N]
 */
export function solveEase(gram: Float64Array, regularization: number): Float32Array {
  const N = Math.round(Math.sqrt(gram.length));
  const ridged = gram.slice();
  for (let i = 0; i < N; i++) ridged[i * N + i]! += regularization;
  return scope(() => {
    const inverse_NN = choleskyInverse(cholesky(Tensor.from(ridged, [N, N])));
    const all = inverse_NN.toTypedArray() as Float64Array;
    const diagonal = Float64Array.from({ length: N }, (_, i) => all[i * N + i] as number);
    const weights_NN = neg(div(inverse_NN, Tensor.from(diagonal)));
    const weights = cast(weights_NN, 'float32').toTypedArray() as Float32Array;
    for (let i = 0; i < N; i++) weights[i * N + i] = 0;
    return weights;
  });
}

/**
 * Fits EASE, and chooses what is left open on validation instances; never pass test rows.
 * @throws IloraError `data` for a catalog that is too large
 */
export async function chooseEase(
  { catalogSize, sequences, ...given }: CountOptions & OpenEase,
  validation: readonly Instance[],
  signal?: AbortSignal,
): Promise<Ease> {
  if (catalogSize > MOST_ITEMS)
    throw mismatch('data', {
      where: 'ease',
      expected: `at most ${MOST_ITEMS} items, as it has a number for each pair`,
      got: catalogSize,
    });
  let gram: { window: number; values: Float64Array } | undefined;
  let solved: { key: string; weights: Float32Array } | undefined;
  return choose(
    {
      where: 'ease',
      grid: GRID,
      given,
      fit(settings) {
        inRange(settings, ranges, { code: 'usage', where: 'EASE' });
        const { window, regularization } = settings;
        if (gram?.window !== window)
          gram = { window, values: gramOfRuns(sequences, { catalogSize, window }) };
        const key = `${window} ${regularization}`;
        if (solved?.key !== key) solved = { key, weights: solveEase(gram.values, regularization) };
        return new Ease(solved.weights, settings);
      },
      validation,
      catalogSize,
    },
    signal,
  );
}

/** The weights, with the settings that were chosen. */
export function easeStorage(catalogSize: number): Storage<Ease> {
  const N = catalogSize;
  return {
    state: ({ weights, settings: { window, regularization, decay } }) =>
      new Map([
        ['weights', Tensor.from(weights, [N, N])],
        ['settings', Tensor.from(Float64Array.of(window, regularization, decay))],
      ]),
    read(saved, where) {
      const { weights, settings } = savedNumbers(saved, { weights: [N, N], settings: 3 }, where);
      if (!weights.every(Number.isFinite))
        throw faults('format', where, ['weights: expected finite numbers']);
      for (let i = 0; i < N; i++)
        if (weights[i * N + i] !== 0)
          throw faults('format', where, [`weights: expected 0 for item ${i} from itself`]);
      return new Ease(Float32Array.from(weights), savedSettings(settings, ranges, where));
    },
  };
}
