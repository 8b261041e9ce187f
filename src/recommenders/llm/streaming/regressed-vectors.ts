/**
 * Vectors of items from their words: what stands for those of an encoder that never saw an item in training.
 *
 * Ridge regression from the items' text vectors X to the encoder's vectors Y, w an item's weight:
 *
 *   W = argmin Σᵢ wᵢ |yᵢ - xᵢ W|² + λ |W|²   (a constant column of X has no penalty)
 *
 * An item of training has weight min(n, 20) / 20 for its n occurrences: rare items' vectors are mostly noise. λ is the
 * one of a few whose predictions of left-out fifths are best. Items of training get the prediction of the regression
 * that left their fifth out, so that a vector that is made missing in training is as good as that of a new item.
 *
 * Ours; the idea is that of mapping content to collaborative vectors (Gantner et al., ICDM 2010).
 */
import {
  cat,
  cholesky,
  choleskySolve,
  full,
  indexSelect,
  keep,
  matmul,
  mul,
  noGrad,
  scope,
  square,
  sub,
  sum,
  Tensor,
  toDevice,
  transpose,
} from '../../../tensor/index.js';

const FOLDS = 5;
const PENALTIES = [30, 100, 300, 1000, 3000, 10_000];
/** Occurrences from which on an item counts in full. */
const ENOUGH = 20;
/** Items of training that are used at most, those that occur most often. */
const MOST = 20_000;

/**
 * @param texts_ND   text vectors of all items, standardised
 * @param vectors_NX the encoder's
 * @param counts     how often training has each item; where it is 0, the vector says nothing
 * @returns [N, X] in the vectors' type, on the device of `texts_ND`; zeros where fewer than ten items are known
 */
export function regressedVectors(
  texts_ND: Tensor,
  vectors_NX: Tensor,
  counts: readonly number[],
): Tensor {
  const [N, X] = vectors_NX.shape as [number, number];
  const known = knownItems(counts);
  const { device } = texts_ND;
  if (known.length < 2 * FOLDS) return full([N, X], 0, { dtype: vectors_NX.dtype, device });
  return noGrad(() =>
    scope(() => {
      const all = toDevice(texts_ND, 'cpu', 'float64');
      const constant = full([N, 1], 1, { dtype: 'float64' });
      const problem: Problem = {
        inputs: cat([all, constant], 1),
        targets: toDevice(vectors_NX, 'cpu', 'float64'),
        weights: Tensor.from(
          Float64Array.from(counts, (count) => Math.min(count, ENOUGH) / ENOUGH),
          [N, 1],
        ),
      };
      const parts = Array.from({ length: FOLDS }, (_, fold) => {
        const seen = known.filter((_, k) => k % FOLDS !== fold);
        const held = known.filter((_, k) => k % FOLDS === fold);
        return { moments: momentsOf(problem, seen), held };
      });
      const error = (penalty: number): number =>
        scope(() =>
          parts.reduce(
            (total, { moments, held }) => total + missed(problem, held, solve(moments, penalty)),
            0,
          ),
        );
      const errors = PENALTIES.map(error);
      const penalty = PENALTIES[errors.indexOf(Math.min(...errors))] as number;
      const whole = matmul(problem.inputs, solve(momentsOf(problem, known), penalty));
      const found = whole.toTypedArray() as Float64Array;
      for (const { moments, held } of parts)
        scope(() => {
          const own = predict(problem, held, solve(moments, penalty)).toTypedArray();
          for (const [k, item] of held.entries())
            found.set((own as Float64Array).subarray(k * X, (k + 1) * X), item * X);
        });
      return keep(toDevice(Tensor.from(found, [N, X]), device, vectors_NX.dtype));
    }),
  );
}

interface Problem {
  inputs: Tensor; // [N, D + 1], a constant column last
  targets: Tensor; // [N, X]
  weights: Tensor; // [N, 1]
}

interface Moments {
  inner: Tensor; // XᵀwX
  outer: Tensor; // XᵀwY
}

/** Items of training in ascending order, those that occur most often where they are too many. */
function knownItems(counts: readonly number[]): number[] {
  const known = Array.from(counts.keys()).filter((item) => (counts[item] as number) > 0);
  if (known.length <= MOST) return known;
  const often = known.sort((a, b) => (counts[b] as number) - (counts[a] as number) || a - b);
  return often.slice(0, MOST).sort((a, b) => a - b);
}

function momentsOf({ inputs, targets, weights }: Problem, items: readonly number[]): Moments {
  return scope(() => {
    const own = rows(inputs, items);
    const weighted = transpose(mul(own, rows(weights, items)), 0, 1);
    return { inner: matmul(weighted, own), outer: matmul(weighted, rows(targets, items)) };
  });
}

/** W, [D + 1, X] */
function solve({ inner, outer }: Moments, penalty: number): Tensor {
  return scope(() => {
    const width = inner.axis(0);
    const ridged = (inner.toTypedArray() as Float64Array).slice();
    // The constant has no penalty; it is never alike another column, as those have mean zero.
    for (let d = 0; d < width - 1; d++) ridged[d * width + d]! += penalty;
    return choleskySolve(outer, cholesky(Tensor.from(ridged, [width, width])));
  });
}

function predict({ inputs }: Problem, items: readonly number[], map: Tensor): Tensor {
  return matmul(rows(inputs, items), map);
}

/** Weighted sum of squared errors. */
function missed(problem: Problem, items: readonly number[], map: Tensor): number {
  const wrong = square(sub(predict(problem, items, map), rows(problem.targets, items)));
  return sum(mul(wrong, rows(problem.weights, items)), [0, 1]).item();
}

function rows(of: Tensor, items: readonly number[]): Tensor {
  return indexSelect(of, 0, Tensor.from(items, undefined, 'int64'));
}
