/**
 * A small evaluator in plain loops, to compare libtorch's operators with: arrays of numbers with a shape.
 *
 * Nothing here calls the engine, conversions of element types included.
 */
import type { DType, TypedArray } from '../../../../src/tensor/index.js';

/** Numbers in row-major order. */
export interface Nd {
  shape: readonly number[];
  data: readonly number[];
  /** The type it always has, as ids and masks do; others take the type of the case. */
  dtype?: DType;
}

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Calls `f` for each index of a shape, in row-major order. */
export function each(shape: readonly number[], f: (index: readonly number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  for (let count = size(shape); count > 0; count--) {
    f(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
}

/** An array from a function of its index. */
export function build(shape: readonly number[], f: (index: readonly number[]) => number): Nd {
  const data: number[] = [];
  each(shape, (index) => data.push(f(index)));
  return { shape, data };
}

/** The element at an index; axes of length 1 and missing leading axes broadcast. */
export function at({ shape, data }: Nd, index: readonly number[]): number {
  const skipped = index.length - shape.length;
  let place = 0;
  for (const [axis, length] of shape.entries()) {
    const i = length === 1 ? 0 : (index[axis + skipped] as number);
    place = place * length + i;
  }
  const value = data[place];
  if (value === undefined) throw new Error(`no element at ${index} of [${shape}]`);
  return value;
}

export const map = ({ shape, data }: Nd, f: (x: number) => number): Nd => ({
  shape,
  data: data.map((x) => f(x)),
});

/** The shape that several shapes broadcast to. */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const axes = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: axes }, (_, i) => {
    const lengths = shapes.map((shape) => shape.at(i - axes) ?? 1);
    return lengths.find((length) => length !== 1) ?? 1;
  });
}

export const zip = (a: Nd, b: Nd, f: (x: number, y: number) => number): Nd =>
  build(broadcast(a.shape, b.shape), (index) => f(at(a, index), at(b, index)));

export const axisOf = (axis: number, axes: number): number => (axis < 0 ? axis + axes : axis);

const put = (index: readonly number[], axis: number, value: number): number[] =>
  index.map((i, k) => (k === axis ? value : i));

/** Replaces every slice along an axis by what `f` makes of it. */
export function along(a: Nd, axis: number, f: (slice: readonly number[]) => readonly number[]): Nd {
  const own = axisOf(axis, a.shape.length);
  const length = a.shape[own] ?? 1;
  const lengthOut = f(new Array<number>(length).fill(0)).length;
  const outer = a.shape.map((n, k) => (k === own ? 1 : n));
  const result = new Map<string, readonly number[]>();
  each(outer, (index) => {
    const slice = Array.from({ length }, (_, i) =>
      at(a, a.shape.length === 0 ? [] : put(index, own, i)),
    );
    result.set(String(index), f(slice));
  });
  if (a.shape.length === 0) return { shape: [], data: result.get('') ?? [] };
  const shape = a.shape.map((n, k) => (k === own ? lengthOut : n));
  return build(
    shape,
    (index) => result.get(String(put(index, own, 0)))?.[index[own] as number] as number,
  );
}

/** Reduces axes (all by default) by a function of their elements. */
export function reduce(
  a: Nd,
  f: (values: readonly number[]) => number,
  axes: readonly number[] = a.shape.map((_, i) => i),
  keep = false,
): Nd {
  const own = axes.map((axis) => axisOf(axis, a.shape.length));
  const kept = a.shape.map((n, i) => (own.includes(i) ? 1 : n));
  const inner = a.shape.map((n, i) => (own.includes(i) ? n : 1));
  const full = build(kept, (index) => {
    const values: number[] = [];
    each(inner, (offset) =>
      values.push(
        at(
          a,
          index.map((i, k) => i + (offset[k] as number)),
        ),
      ),
    );
    return f(values);
  });
  return keep ? full : { shape: a.shape.filter((_, i) => !own.includes(i)), data: full.data };
}

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export function softmax(values: readonly number[]): number[] {
  const top = Math.max(...values);
  const powers = values.map((x) => Math.exp(x - top));
  return powers.map((x) => x / total(powers));
}

export function matmul(a: Nd, b: Nd): Nd {
  const rows = a.shape.length === 1 ? { ...a, shape: [1, ...a.shape] } : a;
  const columns = b.shape.length === 1 ? { ...b, shape: [...b.shape, 1] } : b;
  const K = rows.shape.at(-1) as number;
  const batch = broadcast(rows.shape.slice(0, -2), columns.shape.slice(0, -2));
  const shape = [...batch, rows.shape.at(-2) as number, columns.shape.at(-1) as number];
  const made = build(shape, (index) => {
    const outer = index.slice(0, -2);
    const [i, j] = index.slice(-2) as [number, number];
    return total(
      Array.from(
        { length: K },
        (_, k) => at(rows, [...outer, i, k]) * at(columns, [...outer, k, j]),
      ),
    );
  });
  const kept = shape.filter((_, axis) => {
    if (axis === shape.length - 1) return b.shape.length > 1;
    return axis !== shape.length - 2 || a.shape.length > 1;
  });
  return { shape: kept, data: made.data };
}

export const permute = (a: Nd, axes: readonly number[]): Nd =>
  build(
    axes.map((axis) => a.shape[axisOf(axis, a.shape.length)] as number),
    (index) => {
      const source = new Array<number>(axes.length);
      for (const [k, axis] of axes.entries())
        source[axisOf(axis, axes.length)] = index[k] as number;
      return at(a, source);
    },
  );

/** The error function to double precision: its series, and a continued fraction where that is slow. */
export function erf(x: number): number {
  if (Math.abs(x) > 3) return Math.sign(x) * (1 - erfcTail(Math.abs(x)));
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfcTail(x: number): number {
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

// ---- element types ------------------------------------------------------------------------------

const toEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
};

/** Rounds to a float of `bits` bits of significand and a smallest exponent; beyond `most` is infinite. */
function roundTo(x: number, bits: number, lowest: number, most: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), lowest);
  const quantum = 2 ** (exponent - bits + 1);
  const rounded = toEven(Math.abs(x) / quantum) * quantum;
  return Math.sign(x) * (rounded > most ? Number.POSITIVE_INFINITY : rounded);
}

/** The nearest number that a type holds. */
export function roundAs(x: number, dtype: DType): number {
  switch (dtype) {
    case 'float64':
      return x;
    case 'float32':
      return Math.fround(x);
    case 'bfloat16':
      return roundTo(x, 8, -126, 3.3895313892515355e38);
    case 'float16':
      return roundTo(x, 11, -14, 65504);
    case 'bool':
      return x === 0 ? 0 : 1;
    default:
      return Math.trunc(x) + 0; // no -0
  }
}

function halfBits(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (Number.isNaN(a)) return 0x7e00;
  if (a === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  if (a < 2 ** -14) return sign | (a / 2 ** -24);
  const exponent = Math.floor(Math.log2(a));
  return sign | ((exponent + 15) << 10) | ((a / 2 ** exponent - 1) * 1024);
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const rest = bits & 1023;
  if (exponent === 31) return rest === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? rest * 2 ** -24 : (1 + rest / 1024) * 2 ** (exponent - 15));
}

/** Numbers, already rounded, as the elements of a type. */
export function encode(data: readonly number[], dtype: DType): TypedArray {
  switch (dtype) {
    case 'float64':
      return Float64Array.from(data);
    case 'float32':
      return Float32Array.from(data);
    case 'bfloat16':
      return Uint16Array.from(
        new Uint32Array(Float32Array.from(data).buffer),
        (word) => word >>> 16,
      );
    case 'float16':
      return Uint16Array.from(data, halfBits);
    case 'int64':
      return BigInt64Array.from(data, BigInt);
    case 'int32':
      return Int32Array.from(data);
    default:
      return Uint8Array.from(data);
  }
}

/** The other way. */
export function decode(elements: TypedArray, dtype: DType): number[] {
  if (dtype === 'float16') return Array.from(elements as Uint16Array, halfValue);
  if (dtype !== 'bfloat16') return Array.from(elements as ArrayLike<number | bigint>, Number);
  const words = Uint32Array.from(elements as Uint16Array, (word) => word << 16);
  return Array.from(new Float32Array(words.buffer));
}
