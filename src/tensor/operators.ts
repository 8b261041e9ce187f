/**
 * The operators in use, as typed functions. Each is libtorch's operator of the name given to
 * `operator(...)`; what it computes is what libtorch documents under that name.
 *
 * Shapes broadcast as in libtorch. Nothing here works in place unless its name ends in `_`.
 */

import { statSync } from 'node:fs';
import { mismatch } from '../errors/index.js';
import { generatorOf, optionsOf, tensorOf } from './arguments.js';
import { EngineError, hasOperator, operator, operatorInPlace, operatorMany } from './call.js';
import { type Device, DTYPE_CODES, type DType } from './dtype.js';
import type { Generator } from './generator.js';
import { place } from './native.js';
import type { RowStreams } from './row-streams.js';
import type { Tensor } from './tensor.js';

/** Element type and place of a new tensor; float32 on the CPU by default. */
export interface TensorOptions {
  dtype?: DType;
  device?: Device;
}

/** libtorch's code of a type. Unknown names must not pass as `undefined`, which means the default. */
function code(dtype: DType): number {
  if (typeof dtype === 'string' && Object.hasOwn(DTYPE_CODES, dtype)) return DTYPE_CODES[dtype];
  throw mismatch('engine', {
    where: 'dtype',
    expected: Object.keys(DTYPE_CODES).join(', '),
    got: dtype,
  });
}

// ---- making tensors -----------------------------------------------------------------------------

const zerosOp = operator('aten::zeros', 'size dtype device');
const fullOp = operator('aten::full', 'size fill_value dtype device');
const arangeOp = operator('aten::arange.start_step', 'start end step dtype device');
const randnOp = operator('aten::randn.generator', 'size generator dtype device');
const zerosLikeOp = operator('aten::zeros_like', 'self');
const cloneOp = operator('aten::clone', 'self');
const detachOp = operator('aten::detach', 'self');

/** A tensor of zeros. */
export const zeros = (shape: readonly number[], options: TensorOptions = {}): Tensor => {
  const { dtype = 'float32', device = 'cpu' } = optionsOf('zeros', options);
  return zerosOp(shape, code(dtype), place(device));
};

/** A tensor of one value. */
export const full = (
  shape: readonly number[],
  value: number,
  options: TensorOptions = {},
): Tensor => {
  const { dtype = 'float32', device = 'cpu' } = optionsOf('full', options);
  return fullOp(shape, value, code(dtype), place(device));
};

/** start, start + step, ... up to but without `end`. */
export const arange = (
  start: number,
  end: number,
  options: TensorOptions & { step?: number } = {},
): Tensor => {
  const { step = 1, dtype = 'int64', device = 'cpu' } = optionsOf('arange', options);
  return arangeOp(start, end, step, code(dtype), place(device));
};

/** Standard normal numbers from a generator on the same device. */
export const randn = (
  shape: readonly number[],
  generator: Generator,
  dtype: DType = 'float32',
): Tensor => randnOp(shape, generator, code(dtype), place(generatorOf('randn', generator).device));

export const zerosLike = (x: Tensor): Tensor => zerosLikeOp(x);
/** A copy with storage of its own; gradients flow through it. */
export const clone = (x: Tensor): Tensor => cloneOp(x);
/** The same storage without its gradient history. */
export const detach = (x: Tensor): Tensor => detachOp(x);

// ---- type and place -----------------------------------------------------------------------------

const toDtypeOp = operator('aten::to.dtype', 'self dtype');
const toDeviceOp = operator('aten::to.device', 'self device dtype');
const viewDtypeOp = operator('aten::view.dtype', 'self dtype');
const contiguousOp = operator('aten::contiguous', 'self');

/** Converted elements; the same tensor if the type is already that. */
export const cast = (x: Tensor, dtype: DType): Tensor => toDtypeOp(x, code(dtype));

/** float32, or float64 where it is that: the types in which norms, softmax and losses are reckoned. */
export const widen = (x: Tensor): Tensor =>
  tensorOf('widen', x).dtype === 'float64' ? x : cast(x, 'float32');

/** A copy on another device. @throws IloraError `setup` for "cuda" without a GPU */
export const toDevice = (x: Tensor, device: Device, dtype?: DType): Tensor =>
  toDeviceOp(x, place(device), code(dtype ?? tensorOf('toDevice', x).dtype));

/**
 * The same bytes read as another type (nothing is copied); the last axis, whose elements must lie side by side,
 * changes its length.
 */
export const bitcast = (x: Tensor, dtype: DType): Tensor => viewDtypeOp(x, code(dtype));

/** The same elements in row-major order; a copy only where needed. */
export const contiguous = (x: Tensor): Tensor => contiguousOp(x);

// ---- element by element -------------------------------------------------------------------------

const addOp = operator('aten::add.Tensor', 'self other alpha');
const addNumberOp = operator('aten::add.Scalar', 'self other');
const subOp = operator('aten::sub.Tensor', 'self other');
const mulOp = operator('aten::mul.Tensor', 'self other');
const mulNumberOp = operator('aten::mul.Scalar', 'self other');
const divOp = operator('aten::div.Tensor', 'self other');
const divNumberOp = operator('aten::div.Scalar', 'self other');
const negOp = operator('aten::neg', 'self');
const expOp = operator('aten::exp', 'self');
const logOp = operator('aten::log', 'self');
const sqrtOp = operator('aten::sqrt', 'self');
const rsqrtOp = operator('aten::rsqrt', 'self');
const squareOp = operator('aten::square', 'self');
const cosOp = operator('aten::cos', 'self');
const sinOp = operator('aten::sin', 'self');
const reluOp = operator('aten::relu', 'self');
const siluOp = operator('aten::silu', 'self');
const geluOp = operator('aten::gelu', 'self');
const sigmoidOp = operator('aten::sigmoid', 'self');
const softplusOp = operator('aten::softplus', 'self');
const finiteOp = operator('aten::isfinite', 'self');

/** x + scale · y */
export const add = (x: Tensor, y: Tensor | number, scale?: number): Tensor =>
  typeof y === 'number' ? addNumberOp(x, y) : addOp(x, y, scale);
export const sub = (x: Tensor, y: Tensor): Tensor => subOp(x, y);
export const mul = (x: Tensor, y: Tensor | number): Tensor =>
  typeof y === 'number' ? mulNumberOp(x, y) : mulOp(x, y);
export const div = (x: Tensor, y: Tensor | number): Tensor =>
  typeof y === 'number' ? divNumberOp(x, y) : divOp(x, y);
export const neg = (x: Tensor): Tensor => negOp(x);
export const exp = (x: Tensor): Tensor => expOp(x);
export const log = (x: Tensor): Tensor => logOp(x);
export const sqrt = (x: Tensor): Tensor => sqrtOp(x);
export const rsqrt = (x: Tensor): Tensor => rsqrtOp(x);
export const square = (x: Tensor): Tensor => squareOp(x);
export const cos = (x: Tensor): Tensor => cosOp(x);
export const sin = (x: Tensor): Tensor => sinOp(x);
export const relu = (x: Tensor): Tensor => reluOp(x);
/** x · sigmoid(x) */
export const silu = (x: Tensor): Tensor => siluOp(x);
/** The exact Gaussian error linear unit. */
export const gelu = (x: Tensor): Tensor => geluOp(x);
export const sigmoid = (x: Tensor): Tensor => sigmoidOp(x);
/** log(1 + exp(x)), without overflow. */
export const softplus = (x: Tensor): Tensor => softplusOp(x);
export const finite = (x: Tensor): Tensor => finiteOp(x);

// ---- sums and choices ---------------------------------------------------------------------------

const sumOp = operator('aten::sum', 'self');
const sumAxesOp = operator('aten::sum.dim_IntList', 'self dim keepdim');
const meanAxesOp = operator('aten::mean.dim', 'self dim keepdim');
const meanOp = operator('aten::mean', 'self');
const allOp = operator('aten::all', 'self');
const argmaxOp = operator('aten::argmax', 'self dim');
const topkOp = operatorMany('aten::topk', 'self k dim');
const softmaxOp = operator('aten::softmax.int', 'self dim');
const logSoftmaxOp = operator('aten::log_softmax.int', 'self dim');
const whereOp = operator('aten::where.self', 'condition self other');
const maskedFillOp = operator('aten::masked_fill.Scalar', 'self mask value');

/** The sum over the given axes, or over all. */
export const sum = (x: Tensor, axes?: readonly number[], keepAxes = false): Tensor =>
  axes === undefined ? sumOp(x) : sumAxesOp(x, axes, keepAxes);
/** The mean over the given axes, or over all. */
export const mean = (x: Tensor, axes?: readonly number[], keepAxes = false): Tensor =>
  axes === undefined ? meanOp(x) : meanAxesOp(x, axes, keepAxes);
/** Whether all elements are true (or not zero). */
export const all = (x: Tensor): boolean => allOp(x).item() !== 0;
export const argmax = (x: Tensor, axis: number): Tensor => argmaxOp(x, axis);
/** The k largest along an axis, descending: values and their places. */
export const topk = (x: Tensor, k: number, axis = -1): { values: Tensor; indices: Tensor } => {
  const [values, indices] = topkOp(x, k, axis) as [Tensor, Tensor];
  return { values, indices };
};
export const softmax = (x: Tensor, axis: number): Tensor => softmaxOp(x, axis);
export const logSoftmax = (x: Tensor, axis: number): Tensor => logSoftmaxOp(x, axis);
/** x where the condition holds, else y. */
export const where = (condition: Tensor, x: Tensor, y: Tensor): Tensor => whereOp(condition, x, y);
export const maskedFill = (x: Tensor, mask: Tensor, value: number): Tensor =>
  maskedFillOp(x, mask, value);

// ---- shape --------------------------------------------------------------------------------------

const reshapeOp = operator('aten::reshape', 'self shape');
const permuteOp = operator('aten::permute', 'self dims');
const transposeOp = operator('aten::transpose.int', 'self dim0 dim1');
const rollOp = operator('aten::roll', 'self shifts dims');
const unsqueezeOp = operator('aten::unsqueeze', 'self dim');
const squeezeOp = operator('aten::squeeze.dim', 'self dim');
const expandOp = operator('aten::expand', 'self size');
const catOp = operator('aten::cat', 'tensors dim');
const stackOp = operator('aten::stack', 'tensors dim');
const narrowOp = operator('aten::narrow', 'self dim start length');
const selectOp = operator('aten::select.int', 'self dim index');
const chunkOp = operatorMany('aten::split_with_sizes', 'self split_sizes dim');
const repeatOp = operator('aten::repeat_interleave.self_int', 'self repeats dim');
const trilOp = operator('aten::tril', 'self diagonal');

/** The same elements under another shape; one length may be -1. */
export const reshape = (x: Tensor, shape: readonly number[]): Tensor => reshapeOp(x, shape);
export const permute = (x: Tensor, axes: readonly number[]): Tensor => permuteOp(x, axes);
export const transpose = (x: Tensor, axisA: number, axisB: number): Tensor =>
  transposeOp(x, axisA, axisB);
/** Element i of an axis goes to i + shift; those pushed over the end come back at its start. */
export const roll = (x: Tensor, shift: number, axis: number): Tensor => rollOp(x, [shift], [axis]);
export const unsqueeze = (x: Tensor, axis: number): Tensor => unsqueezeOp(x, axis);
export const squeeze = (x: Tensor, axis: number): Tensor => squeezeOp(x, axis);
/** Repeats axes of length 1 without copying; -1 leaves an axis alone. */
export const expand = (x: Tensor, shape: readonly number[]): Tensor => expandOp(x, shape);
export const cat = (tensors: readonly Tensor[], axis: number): Tensor => catOp(tensors, axis);
export const stack = (tensors: readonly Tensor[], axis: number): Tensor => stackOp(tensors, axis);
/** A view of `length` elements of an axis from `start`. */
export const narrow = (x: Tensor, axis: number, start: number, length: number): Tensor =>
  narrowOp(x, axis, start, length);
export const select = (x: Tensor, axis: number, index: number): Tensor => selectOp(x, axis, index);
/** Views of the given lengths, which add up to the axis. */
export const split = (x: Tensor, lengths: readonly number[], axis: number): Tensor[] =>
  chunkOp(x, lengths, axis);
/** Each element of an axis `times` in a row. */
export const repeatInterleave = (x: Tensor, times: number, axis: number): Tensor =>
  repeatOp(x, times, axis);
/** Zero above the given diagonal. */
export const tril = (x: Tensor, diagonal = 0): Tensor => trilOp(x, diagonal);

// ---- choosing by index --------------------------------------------------------------------------

const indexSelectOp = operator('aten::index_select', 'self dim index');
const gatherOp = operator('aten::gather', 'self dim index');
const indexCopyOp = operator('aten::index_copy', 'self dim index source');
const embeddingOp = operator('aten::embedding', 'weight indices padding_idx');

/** The slices of an axis with the given places (int64, one axis). */
export const indexSelect = (x: Tensor, axis: number, indices: Tensor): Tensor =>
  indexSelectOp(x, axis, indices);
export const gather = (x: Tensor, axis: number, indices: Tensor): Tensor =>
  gatherOp(x, axis, indices);
/** x with the slices at the given places of an axis replaced by those of `source`. */
export const indexCopy = (x: Tensor, axis: number, indices: Tensor, source: Tensor): Tensor =>
  indexCopyOp(x, axis, indices, source);
/** Rows of a table [N, D] for int64 ids of any shape; the row at `paddingId` gets no gradient. */
export const embedding = (weight_ND: Tensor, ids: Tensor, paddingId = -1): Tensor =>
  embeddingOp(weight_ND, ids, paddingId);

// ---- products -----------------------------------------------------------------------------------

const matmulOp = operator('aten::matmul', 'self other');
const linearOp = operator('aten::linear', 'input weight bias');
const conv1dOp = operator('aten::conv1d', 'input weight bias stride padding');

export const matmul = (x: Tensor, y: Tensor): Tensor => matmulOp(x, y);
/** x Wᵀ + b for a weight [O, I]. */
export const linear = (x: Tensor, weight_OI: Tensor, bias_O?: Tensor): Tensor =>
  linearOp(x, weight_OI, bias_O);
/** Cross-correlation along the last axis of [B, I, L] with a weight [O, I, K]. */
export const conv1d = (
  x: Tensor,
  weight: Tensor,
  options: { stride?: number; padding?: number; bias?: Tensor } = {},
): Tensor => {
  const { stride = 1, padding = 0, bias } = optionsOf('conv1d', options);
  return conv1dOp(x, weight, bias, [stride], [padding]);
};

const maxPool1dOp = operator('aten::max_pool1d', 'self kernel_size stride');

/** The largest of each `length` neighbours along the last axis of [B, C, L]; one window begins at every place that fits. */
export const maxPool1d = (x_BCL: Tensor, length: number): Tensor =>
  maxPool1dOp(x_BCL, [length], [1]);

const gruOp = operatorMany(
  'aten::gru.input',
  'input hx params has_biases num_layers dropout train bidirectional batch_first',
);

/** Weights of a GRU layer of width H; each holds those of reset gate, update gate and new state, in this order. */
export interface GruWeights {
  input_GI: Tensor; // [3H, I]
  state_GH: Tensor; // [3H, H]
  inputBias_G: Tensor; // [3H]
  stateBias_G: Tensor; // [3H]
}

/**
 * States of one GRU layer after every place, from `start_BH`.
 * @returns states_BLH
 */
export const gru = (x_BLI: Tensor, start_BH: Tensor, weights: GruWeights): Tensor => {
  const { input_GI, state_GH, inputBias_G, stateBias_G } = optionsOf('gru', weights);
  const all = [input_GI, state_GH, inputBias_G, stateBias_G];
  // `train`: without it a GPU keeps nothing for gradients. It drops nothing at a probability of 0.
  const run = [true, 1, 0, true, false, true];
  const [states_BLH, last] = gruOp(x_BLI, unsqueeze(start_BH, 0), all, ...run) as [Tensor, Tensor];
  last.dispose();
  return states_BLH;
};

// ---- linear algebra -----------------------------------------------------------------------------

const choleskyOp = operator('aten::linalg_cholesky', 'self');
const choleskySolveOp = operator('aten::cholesky_solve', 'self input2');
const choleskyInverseOp = operator('aten::cholesky_inverse', 'self');

/**
 * L with L Lᵀ = x, zero above its diagonal, for symmetric positive definite matrices [..., D, D].
 * @throws IloraError `engine` for a matrix that is not positive definite
 */
export const cholesky = (x: Tensor): Tensor => choleskyOp(x);
/** y with L Lᵀ y = right, for right sides [..., D, R] and the factor L. */
export const choleskySolve = (right: Tensor, factor: Tensor): Tensor =>
  choleskySolveOp(right, factor);
/** (L Lᵀ)⁻¹ of the factor L [..., D, D]. */
export const choleskyInverse = (factor: Tensor): Tensor => choleskyInverseOp(factor);

// ---- normalisation ------------------------------------------------------------------------------

const layerNormOp = operator('aten::layer_norm', 'input normalized_shape weight bias eps');
const rmsNormOp = operator('aten::rms_norm', 'input normalized_shape weight eps');
let hasRmsNorm: boolean | undefined;

export const layerNorm = (x: Tensor, weight_D: Tensor, bias_D: Tensor, epsilon: number): Tensor =>
  layerNormOp(x, tensorOf('layerNorm(weight)', weight_D).shape, weight_D, bias_D, epsilon);

/** x / √(mean(x²) + ε) · w over the last axis, reckoned in float32. Composed where libtorch lacks it (before 2.4). */
export function rmsNorm(x: Tensor, weight_D: Tensor, epsilon: number): Tensor {
  hasRmsNorm ??= hasOperator('aten::rms_norm');
  return hasRmsNorm
    ? rmsNormOp(x, tensorOf('rmsNorm(weight)', weight_D).shape, weight_D, epsilon)
    : rmsNormComposed(x, weight_D, epsilon);
}

/** `rmsNorm` out of elementary operators. */
export function rmsNormComposed(x: Tensor, weight_D: Tensor, epsilon: number): Tensor {
  const { dtype } = tensorOf('rmsNorm', x);
  const wide = widen(x);
  const scale = rsqrt(add(mean(square(wide), [-1], true), epsilon));
  return mul(cast(mul(wide, scale), dtype), weight_D);
}

const logicalNotOp = operator('aten::logical_not', 'self');
/** True where an element is false or zero. */
export const equalsZero = (x: Tensor): Tensor => logicalNotOp(x);

const eqNumberOp = operator('aten::eq.Scalar', 'self other');
const eqOp = operator('aten::eq.Tensor', 'self other');
const leOp = operator('aten::le.Tensor', 'self other');
const orOp = operator('aten::logical_or', 'self other');
const andOp = operator('aten::logical_and', 'self other');

/** x = y, element by element. */
export const equal = (x: Tensor, y: Tensor | number): Tensor =>
  typeof y === 'number' ? eqNumberOp(x, y) : eqOp(x, y);
/** x ≤ y, element by element. */
export const atMost = (x: Tensor, y: Tensor): Tensor => leOp(x, y);
export const or = (x: Tensor, y: Tensor): Tensor => orOp(x, y);
export const and = (x: Tensor, y: Tensor): Tensor => andOp(x, y);

// ---- losses -------------------------------------------------------------------------------------

const crossEntropyOp = operator(
  'aten::cross_entropy_loss',
  'self target weight reduction ignore_index',
);
const REDUCTIONS = { none: 0, mean: 1, sum: 2 } as const;

/** Cross-entropy of logits [X, V] with int64 targets [X]. */
export const crossEntropy = (
  logits_XV: Tensor,
  targets_X: Tensor,
  options: { reduction?: keyof typeof REDUCTIONS; ignoreId?: number } = {},
): Tensor => {
  const { reduction = 'mean', ignoreId = -100 } = optionsOf('crossEntropy', options);
  if (typeof reduction !== 'string' || !Object.hasOwn(REDUCTIONS, reduction)) {
    throw mismatch('engine', {
      where: 'crossEntropy(reduction)',
      expected: Object.keys(REDUCTIONS).join(', '),
      got: reduction,
    });
  }
  return crossEntropyOp(logits_XV, targets_X, null, REDUCTIONS[reduction], ignoreId);
};

const bceOp = operator(
  'aten::binary_cross_entropy_with_logits',
  'self target weight pos_weight reduction',
);

/** Binary cross-entropy of logits with targets of the same shape, element by element. */
export const binaryCrossEntropy = (logits: Tensor, targets: Tensor): Tensor =>
  bceOp(logits, targets, null, null, REDUCTIONS.none);

// ---- random masks -------------------------------------------------------------------------------

const subNumberInPlaceOp = operatorInPlace('aten::sub_.Scalar', 'self other');
const clampOp = operator('aten::clamp', 'self min max');

/**
 * Zeros each element with probability p and scales the rest by 1 / (1 - p).
 *
 * A byte decides on an element, because a Bernoulli draw of libtorch costs more than the matrix product behind it. So p
 * is rounded to a multiple of 1/256, and the scale fits the rounded p.
 *
 * @param x       [B, ...]
 * @param streams one per row; a row's zeros depend on its stream and its places, not on the other rows
 * @throws IloraError `shape` if there is not one stream per row
 */
export function dropout(x: Tensor, p: number, streams: RowStreams): Tensor {
  const { kept, scale } = zeroSome(x, p, streams);
  return scale === 1 ? kept : mulNumberOp(kept, scale);
}

/** `dropout` before its scale, for those who scale something smaller behind it. */
export function zeroSome(
  x: Tensor,
  p: number,
  streams: RowStreams,
): { kept: Tensor; scale: number } {
  if (!(typeof p === 'number' && p >= 0 && p < 1))
    throw mismatch('engine', { where: 'dropout(p)', expected: 'a probability below 1', got: p });
  const rows = rowsOf(streams);
  if (tensorOf('dropout', x).axis(0) !== rows)
    throw mismatch('shape', {
      where: 'dropout(x)',
      expected: `B=${rows} rows, one per stream`,
      got: x.shape,
    });
  if (p === 0 || x.size === 0) return { kept: x, scale: 1 };
  const level = Math.max(1, Math.min(255, Math.round(p * 256)));
  // A byte below the level becomes 0, any other 1: comparing is several times slower, and a truth value too as a factor.
  const mask = clampOp(reshapeOp(streams.bytes(x.size / rows), x.shape), level - 1, level);
  subNumberInPlaceOp(mask, level - 1);
  return { kept: mulOp(x, mask), scale: 256 / (256 - level) };
}

function rowsOf(streams: RowStreams): number {
  try {
    if (Number.isInteger(streams.rows)) return streams.rows;
  } catch {
    // no object, or one that only looks like streams
  }
  throw mismatch('engine', { where: 'dropout(streams)', expected: 'random streams', got: streams });
}

// ---- in place -----------------------------------------------------------------------------------

const copyOp = operatorInPlace('aten::copy_', 'self src');
const uniformOp = operatorInPlace('aten::uniform_', 'self from to generator');
const normalOp = operatorInPlace('aten::normal_', 'self mean std generator');
const zeroOp = operatorInPlace('aten::zero_', 'self');

const addProductOp = operatorInPlace('aten::addmm_', 'self mat1 mat2 beta alpha');

/** x += scale · y z, for matrices; gradients flow through it. */
export function addProduct_(x_NO: Tensor, y_NR: Tensor, z_RO: Tensor, scale = 1): void {
  // libtorch does not ask where the factors are.
  const { device } = tensorOf('addProduct_', x_NO);
  for (const factor of [y_NR, z_RO])
    if (tensorOf('addProduct_', factor).device !== device)
      throw mismatch('engine', { where: 'addProduct_', expected: device, got: factor.device });
  addProductOp(x_NO, y_NR, z_RO, 1, scale);
}

const addElementProductOp = operatorInPlace('aten::addcmul_', 'self tensor1 tensor2 value');

/** x += y · z, element by element; y and z broadcast to x. Gradients flow through it. */
export const addElementProduct_ = (x: Tensor, y: Tensor, z: Tensor): void =>
  addElementProductOp(x, y, z, 1);

/** Overwrites x with the elements of `source`. */
export const copy_ = (x: Tensor, source: Tensor): void => copyOp(x, source);
/** Numbers are drawn in the order of the memory: a view with turned axes gets them in another order. */
export const uniform_ = (x: Tensor, low: number, high: number, generator: Generator): void =>
  uniformOp(x, low, high, generator);
/** As `uniform_`. */
export const normal_ = (x: Tensor, center: number, deviation: number, generator: Generator): void =>
  normalOp(x, center, deviation, generator);
export const zero_ = (x: Tensor): void => zeroOp(x);

// ---- many tensors at once (optimizers) ----------------------------------------------------------

const foreachMulNumberOp = operatorInPlace('aten::_foreach_mul_.Scalar', 'self scalar');
const foreachMulOp = operatorInPlace('aten::_foreach_mul_.List', 'self other');
const foreachAddOp = operatorInPlace('aten::_foreach_add_.List', 'self other alpha');
const foreachAddNumberOp = operatorInPlace('aten::_foreach_add_.Scalar', 'self scalar');
const foreachAddcmulOp = operatorInPlace(
  'aten::_foreach_addcmul_.Scalar',
  'self tensor1 tensor2 value',
);
const foreachAddcdivOp = operatorInPlace(
  'aten::_foreach_addcdiv_.Scalar',
  'self tensor1 tensor2 value',
);
const foreachSqrtOp = operatorMany('aten::_foreach_sqrt', 'self');
const foreachNormOp = operatorMany('aten::_foreach_norm.Scalar', 'self ord');

/** Operators over lists of tensors; the lists run in step. */
export const foreach = {
  mulNumber_: (xs: readonly Tensor[], factor: number): void => foreachMulNumberOp(xs, factor),
  mul_: (xs: readonly Tensor[], ys: readonly Tensor[]): void => foreachMulOp(xs, ys),
  /** x += scale · y */
  add_: (xs: readonly Tensor[], ys: readonly Tensor[], scale = 1): void =>
    foreachAddOp(xs, ys, scale),
  addNumber_: (xs: readonly Tensor[], value: number): void => foreachAddNumberOp(xs, value),
  /** x += value · y · z */
  addcmul_: (
    xs: readonly Tensor[],
    ys: readonly Tensor[],
    zs: readonly Tensor[],
    value: number,
  ): void => foreachAddcmulOp(xs, ys, zs, value),
  /** x += value · y / z */
  addcdiv_: (
    xs: readonly Tensor[],
    ys: readonly Tensor[],
    zs: readonly Tensor[],
    value: number,
  ): void => foreachAddcdivOp(xs, ys, zs, value),
  sqrt: (xs: readonly Tensor[]): Tensor[] => foreachSqrtOp(xs),
  /** The Euclidean norm of each tensor. */
  norm: (xs: readonly Tensor[]): Tensor[] => foreachNormOp(xs, 2),
};

// ---- files --------------------------------------------------------------------------------------

const fromFileOp = operator('aten::from_file', 'filename shared size dtype');

/**
 * Maps a file's bytes without copying: [bytes] uint8. Pages are read when touched; writes stay private.
 *
 * Not to be cut short while it is mapped: the system ends a process that reads a page that has gone.
 * @throws IloraError `engine` where there is no regular file of at least so many bytes
 */
export function mapFile(path: string, bytes: number): Tensor {
  const got = describeFile(path);
  if (!Number.isSafeInteger(bytes) || bytes < 0 || typeof got === 'string' || got < bytes) {
    throw new EngineError(
      'mapFile',
      [path, bytes],
      `expected a regular file of at least that many bytes, got ${typeof got === 'string' ? got : `one of ${got}`}`,
    );
  }
  return fromFileOp(path, false, bytes, DTYPE_CODES.uint8);
}

/** Bytes of a regular file, or what else is there: libtorch would wait on a pipe for someone to write. */
function describeFile(path: string): number | string {
  try {
    const found = statSync(path);
    return found.isFile() ? found.size : 'another kind';
  } catch (error) {
    return (error as Error).message;
  }
}
