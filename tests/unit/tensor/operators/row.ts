/**
 * A row of the table of operators: what a function computes, for which types, and what it refuses.
 */
import assert from 'node:assert/strict';
import { type DType, operator, Tensor } from '../../../../src/tensor/index.js';
import { build, decode, encode, type Nd, roundAs, size } from './reference.js';

export type Result = Tensor | readonly Tensor[] | boolean;

/** Inputs, the call, and what must come out of it. */
export interface Case {
  inputs: readonly Nd[];
  run(...tensors: Tensor[]): Result;
  want(...arrays: Nd[]): Nd | readonly Nd[] | boolean;
}

/** Row-major, or with turned axes and gaps between the elements. */
export type Layout = 'plain' | 'strided';

export interface Row {
  /** Types it takes; each is tried in every case. */
  dtypes: readonly DType[];
  /** Type of the result; that of the input by default. */
  result?: (dtype: DType) => DType | readonly DType[];
  /** Multiplies the tolerance: for sums of many products and for several roundings. */
  slack?: number;
  /** Layouts in which the result is the same; both by default. */
  layouts?: readonly Layout[];
  /** Whether gradients flow; `false` says that there are none to check. */
  gradient: boolean;
  cases: readonly Case[];
  /** What the errors of this function name. */
  named: RegExp;
  /** Calls that do not fit, each refused by an error that names the function. */
  misfits?: readonly (() => unknown)[];
  /** Places of tensors that may also be numbers or be left out. */
  loose?: readonly number[];
}

export type Table = Readonly<Record<string, Row>>;

export const FLOATS: readonly DType[] = ['float64', 'float32', 'bfloat16', 'float16'];
export const NUMBERS: readonly DType[] = [...FLOATS, 'int64'];
export const ALL: readonly DType[] = [...NUMBERS, 'bool'];

/** Relative to the larger of 1 and the value: some roundings of the type. Whole numbers are exact. */
export const TOLERANCE: Record<DType, number> = {
  float64: 1e-13,
  float32: 1e-6,
  bfloat16: 2 ** -8,
  float16: 2 ** -11,
  int64: 0,
  int32: 0,
  uint8: 0,
  bool: 0,
};

/** Numbers between -2 and 2 that depend on the seed alone; none is near 0 or a whole number. */
export function nd(shape: readonly number[], seed = 1): Nd {
  let state = seed * 7919 + 13;
  return build(shape, () => {
    state = (state * 48271) % 2147483647;
    const whole = (state % 4) - 2;
    return whole + 0.15 + (0.7 * ((state >> 8) % 1009)) / 1009;
  });
}

export const positive = (shape: readonly number[], seed = 1): Nd => {
  const { data } = nd(shape, seed);
  return { shape, data: data.map((x) => Math.abs(x) + 0.1) };
};

export const ids = (shape: readonly number[], data: readonly number[]): Nd => ({
  shape,
  data,
  dtype: 'int64',
});

export const flags = (shape: readonly number[], data: readonly number[]): Nd => ({
  shape,
  data,
  dtype: 'bool',
});

/** The numbers of an input that a type can hold. */
export function asType(array: Nd, dtype: DType): Nd {
  const own = array.dtype ?? dtype;
  const isNegative = (x: number): boolean => own === 'bool' && array.dtype === undefined && x < 0;
  return { ...array, data: array.data.map((x) => (isNegative(x) ? 0 : roundAs(x, own))) };
}

const asStrided = operator('aten::as_strided', 'self size stride storage_offset');

/**
 * A tensor with the numbers of an array: in row-major order, or with turned axes, gaps between the
 * elements and something before them.
 */
export function tensorOf(array: Nd, dtype: DType, layout: Layout = 'plain'): Tensor {
  const own = array.dtype ?? dtype;
  if (layout === 'plain') return Tensor.from(encode(array.data, own), array.shape, own);
  const { shape } = array;
  const strides = shape.map((_, axis) => 2 * size(shape.slice(0, axis)));
  const room = new Array<number>(2 * array.data.length + 3).fill(1);
  let place = 0;
  build(shape, (index) => {
    room[3 + index.reduce((sum, i, axis) => sum + i * (strides[axis] as number), 0)] = array.data[
      place++
    ] as number;
    return 0;
  });
  return asStrided(Tensor.from(encode(room, own), [room.length], own), shape, strides, 3);
}

const isList = (result: unknown): result is readonly unknown[] => Array.isArray(result);

/** Fails unless a result has the type, shape and numbers wanted. */
export function compare(
  what: string,
  got: Result,
  wanted: ReturnType<Case['want']>,
  types: DType | readonly DType[],
  slack: number,
): void {
  if (typeof wanted === 'boolean' || typeof got === 'boolean') {
    assert.equal(got, wanted, what);
    return;
  }
  const tensors = (isList(got) ? got : [got]) as readonly Tensor[];
  const arrays = (isList(wanted) ? wanted : [wanted]) as readonly Nd[];
  assert.equal(tensors.length, arrays.length, `${what}: number of results`);
  for (const [i, tensor] of tensors.entries()) {
    const { shape, data } = arrays[i] as Nd;
    const dtype = isList(types) ? (types[i] as DType) : (types as DType);
    assert.equal(tensor.dtype, dtype, `${what}: type`);
    assert.deepEqual(tensor.shape, shape, `${what}: shape`);
    for (const [k, x] of decode(tensor.toTypedArray(), dtype).entries()) {
      const y = data[k] as number;
      const bound = TOLERANCE[dtype] * slack * Math.max(1, Math.abs(y));
      const isSame = Object.is(x, y) || x === y || Math.abs(x - y) <= bound;
      assert.ok(isSame, `${what}[${k}]: got ${x}, not ${y} ± ${bound}`);
    }
  }
}
