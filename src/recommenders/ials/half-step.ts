/**
 * One half of alternating least squares: the best vectors of some rows when those of the other side stand still.
 */
import { internal } from '../../errors/index.js';
import {
  add,
  cholesky,
  choleskySolve,
  matmul,
  mul,
  reshape,
  scope,
  sum,
  Tensor,
  transpose,
} from '../../tensor/index.js';
import { turn } from '../turn.js';

/** Numbers of [rows, width], row after row. */
export interface Matrix {
  values: Float64Array;
  width: number;
}

/** What a row has chosen on the other side, each once. */
export interface Row {
  items: ArrayLike<number>;
  /** 1 each unless said. */
  weights?: ArrayLike<number>;
}

export interface LeastSquares {
  /** α: weight of all pairs, the unobserved ones among them. */
  unobservedWeight: number;
  /** λ */
  regularization: number;
}

/** Numbers gathered at once: 32 MiB. */
const MOST_GATHERED = 2 ** 22;

/**
 * Solves rows against a fixed side H of X vectors.
 *
 * w = argmin Σ_{i chosen} c_i (w·h_i − 1)² + α Σ_i (w·h_i)² + λ (Σ c_i + α X) ‖w‖², that is
 * (Σ c_i h_i h_iᵀ + α Hᵀ H + λ (Σ c_i + α X) 1) w = Σ c_i h_i
 */
export class HalfStep {
  /** α Hᵀ H */
  readonly #gram: Float64Array; // [D, D]

  constructor(
    readonly fixed: Matrix,
    readonly settings: LeastSquares,
  ) {
    const { values, width: D } = fixed;
    this.#gram = scope(() => {
      const fixed_XD = Tensor.from(values, [values.length / D, D]);
      const gram_DD = mul(matmul(transpose(fixed_XD, 0, 1), fixed_XD), settings.unobservedWeight);
      return gram_DD.toTypedArray() as Float64Array;
    });
  }

  /** Vectors of many rows, in their order. @throws AbortError when the signal fires */
  async solveAll(rows: readonly Row[], signal?: AbortSignal): Promise<Matrix> {
    const { width: D } = this.fixed;
    const values = new Float64Array(rows.length * D);
    for (const batch of this.#batches(rows)) {
      await turn(signal);
      const solved = this.solve(batch.map((row) => rows[row] as Row));
      for (const [i, row] of batch.entries())
        values.set(solved.subarray(i * D, (i + 1) * D), row * D);
    }
    return { values, width: D };
  }

  /** Numbers of rows that go together: of like lengths, as all are padded to the longest. */
  #batches(rows: readonly Row[]): number[][] {
    const lengthOf = (row: number): number => (rows[row] as Row).items.length;
    const order = Array.from(rows.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
    const batches: number[][] = [];
    const { width: D } = this.fixed;
    for (const row of order) {
      const batch = batches.at(-1);
      const size = ((batch?.length ?? 0) + 1) * Math.max(lengthOf(row), D) * D;
      if (batch === undefined || size > MOST_GATHERED) batches.push([row]);
      else batch.push(row);
    }
    return batches;
  }

  /** Vectors of a few rows at once, [B · D]. */
  solve(rows: readonly Row[]): Float64Array {
    const { values, width: D } = this.fixed;
    const { unobservedWeight, regularization } = this.settings;
    const [B, X] = [rows.length, values.length / D];
    const L = Math.max(1, ...rows.map(({ items }) => items.length));
    const chosen = new Float64Array(B * L * D);
    const weighted = new Float64Array(B * L * D);
    const ridge = new Float64Array(B * D * D);
    for (const [b, { items, weights }] of rows.entries()) {
      let total = unobservedWeight * X;
      for (let l = 0; l < items.length; l++) {
        const weight = weights?.[l] ?? 1;
        total += weight;
        const [from, to] = [(items[l] as number) * D, (b * L + l) * D];
        for (let d = 0; d < D; d++) {
          const value = values[from + d] as number;
          chosen[to + d] = value;
          weighted[to + d] = weight * value;
        }
      }
      for (let d = 0; d < D; d++) ridge[(b * D + d) * D + d] = regularization * total;
    }
    return scope(() => {
      const weighted_BLD = Tensor.from(weighted, [B, L, D]);
      const products = matmul(transpose(weighted_BLD, 1, 2), Tensor.from(chosen, [B, L, D]));
      const gram_DD = Tensor.from(this.#gram, [D, D]);
      const matrices_BDD = add(add(products, gram_DD), Tensor.from(ridge, [B, D, D]));
      const right_BD1 = reshape(sum(weighted_BLD, [1]), [B, D, 1]);
      const solved = choleskySolve(right_BD1, cholesky(matrices_BDD)).toTypedArray();
      if (!(solved instanceof Float64Array)) throw internal('least squares lost their precision');
      return solved;
    });
  }
}
