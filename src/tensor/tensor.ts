/**
 * The handle of a libtorch tensor.
 *
 * A handle owns a reference; views share storage with what they were made from. Operators are
 * functions (`operators.ts`), not methods: what a tensor can do by itself is to be asked and freed.
 */
import { IloraError, mismatch, show } from '../errors/index.js';
import { type Device, DTYPE_CODES, type DType, dtypeName } from './dtype.js';
import { type Handle, native } from './native.js';
import { currentScope, type Owned, type Scope } from './scope.js';

/** Elements as JavaScript numbers: 64-bit integers come as BigInt64Array. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array;

/** An n-dimensional array of libtorch. */
export class Tensor implements Owned, Disposable {
  /** @internal */ readonly handle: Handle;
  /** @internal */ owner: Scope | undefined;
  #description: [number, string, boolean, ...number[]] | undefined;
  #shape: readonly number[] | undefined;
  #isDisposed = false;

  /** @internal Use `operators.ts` or `Tensor.from`. */
  constructor(handle: Handle) {
    this.handle = handle;
    const scope = currentScope();
    if (scope === undefined) native().hint(handle);
    else scope.add(this);
  }

  /** Whether a value is a tensor, disposed ones included; a proxy of one or an object made to look like one is not. */
  static is(value: unknown): value is Tensor {
    return typeof value === 'object' && value !== null && #isDisposed in value;
  }

  /**
   * Copies numbers into a new tensor on the CPU.
   * @param shape number of elements per axis; one axis by default
   * @throws IloraError `engine` if the shape does not hold exactly these elements, or `dtype` is not theirs
   */
  static from(
    data: TypedArray | readonly number[],
    shape?: readonly number[],
    dtype?: DType,
  ): Tensor {
    try {
      const array = Array.isArray(data) ? toTypedArray(data, dtype ?? 'float32') : data;
      const kind = dtype ?? kindOf(array as TypedArray);
      checkKind(array, kind);
      return new Tensor(native().fromBytes(array, shape ?? [array.length], DTYPE_CODES[kind]));
    } catch (error) {
      if (error instanceof IloraError) throw error;
      throw new IloraError('engine', `Tensor.from: ${show(error)}`, { shape, dtype }, error);
    }
  }

  /** Elements per axis. */
  get shape(): readonly number[] {
    Tensor.#check(this);
    this.#shape ??= Tensor.#describe(this).slice(3) as number[];
    return this.#shape;
  }

  get dtype(): DType {
    return dtypeName(Tensor.#describe(this)[0]);
  }

  get device(): Device {
    return Tensor.#describe(this)[1] as Device;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }

  /** Length of an axis; negative axes count from the end. */
  axis(index: number): number {
    const length = Number.isInteger(index) ? this.shape.at(index) : undefined;
    if (length === undefined) {
      throw mismatch('shape', {
        where: `axis(${show(index)})`,
        expected: `a tensor with that axis`,
        got: this.shape,
      });
    }
    return length;
  }

  /** Whether gradients are collected for it. */
  get requiresGrad(): boolean {
    Tensor.#check(this);
    return native().describe(this.handle)[2];
  }

  /** Makes it a leaf that collects gradients, or stops that. */
  setRequiresGrad(enabled: boolean): this {
    Tensor.#check(this);
    try {
      native().setRequiresGradient(this.handle, enabled);
    } catch (error) {
      throw new IloraError(
        'engine',
        `setRequiresGrad: ${(error as Error).message}`,
        { shape: this.shape, dtype: this.dtype },
        error,
      );
    }
    return this;
  }

  /** The collected gradient, if any. */
  get grad(): Tensor | undefined {
    Tensor.#check(this);
    const handle = native().gradient(this.handle);
    return handle === null ? undefined : new Tensor(handle);
  }

  /** Replaces the collected gradient, or forgets it. @throws IloraError `shape` if it has another shape */
  setGrad(gradient?: Tensor): void {
    Tensor.#check(this);
    checkGradient('setGrad', gradient);
    if (gradient !== undefined && gradient.shape.join() !== this.shape.join()) {
      throw mismatch('shape', {
        where: 'setGrad(gradient)',
        expected: `shape [${this.shape.join(', ')}]`,
        got: gradient.shape,
      });
    }
    try {
      native().setGradient(this.handle, gradient?.handle);
    } catch (error) {
      throw new IloraError(
        'engine',
        `setGrad: ${(error as Error).message}`,
        { shape: this.shape, dtype: this.dtype },
        error,
      );
    }
  }

  /** Gradients of this (a scalar, or with `gradient` given) with respect to all leaves, added to `grad`. */
  backward(gradient?: Tensor): void {
    Tensor.#check(this);
    checkGradient('backward', gradient);
    try {
      native().backward(this.handle, gradient?.handle);
    } catch (error) {
      throw new IloraError(
        'engine',
        `backward: ${(error as Error).message}`,
        { shape: this.shape },
        error,
      );
    }
  }

  /** The only element, as a number. */
  item(): number {
    if (this.size !== 1) {
      throw mismatch('shape', {
        where: 'item()',
        expected: 'a tensor of one element',
        got: this.shape,
      });
    }
    return this.toNumbers()[0] as number;
  }

  /** Elements in row-major order, copied; bfloat16 and float16 as raw 16-bit words. */
  toTypedArray(): TypedArray {
    const bytes = Tensor.#bytes(this);
    switch (this.dtype) {
      case 'float32':
        return new Float32Array(bytes);
      case 'float64':
        return new Float64Array(bytes);
      case 'int64':
        return new BigInt64Array(bytes);
      case 'int32':
        return new Int32Array(bytes);
      case 'bool':
      case 'uint8':
        return new Uint8Array(bytes);
      case 'float16':
      case 'bfloat16':
        return new Uint16Array(bytes);
    }
  }

  /** Elements in row-major order as numbers. */
  toNumbers(): number[] {
    if (this.dtype === 'bfloat16') {
      const words = new Uint16Array(Tensor.#bytes(this));
      return Array.from(new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer));
    }
    if (this.dtype === 'float16') {
      throw mismatch('engine', {
        where: 'toNumbers()',
        expected: 'another type than float16',
        got: 'float16',
        hint: 'convert with cast() first',
      });
    }
    return Array.from(this.toTypedArray() as ArrayLike<number | bigint>, Number);
  }

  get isDisposed(): boolean {
    if (!Tensor.is(this)) Tensor.#check(this);
    return this.#isDisposed;
  }

  /** Frees the reference now. Harmless when done twice. */
  dispose(): void {
    if (this.isDisposed) return;
    this.#isDisposed = true;
    this.owner?.remove(this);
    native().dispose(this.handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return this.isDisposed
      ? 'Tensor(disposed)'
      : `Tensor([${this.shape.join(', ')}] ${this.dtype} ${this.device})`;
  }

  /** Static, so that it can also say so of a proxy or of something that only looks like a tensor. */
  static #check(tensor: Tensor): void {
    if (!Tensor.is(tensor))
      throw mismatch('engine', { where: 'tensor', expected: 'a tensor', got: typeof tensor });
    if (tensor.#isDisposed) {
      throw new IloraError(
        'engine',
        'tensor: it was disposed and cannot be used any more — was it made inside a scope?',
      );
    }
  }

  static #bytes(tensor: Tensor): ArrayBuffer {
    Tensor.#check(tensor);
    try {
      return native().toBytes(tensor.handle);
    } catch (error) {
      const { shape, dtype, device } = tensor;
      throw new IloraError(
        'engine',
        `elements of [${shape.join(', ')}] ${dtype} ${device}: ${(error as Error).message}`,
        { shape, dtype, device },
        error,
      );
    }
  }

  /** Static for the same reason. */
  static #describe(tensor: Tensor): [number, string, boolean, ...number[]] {
    Tensor.#check(tensor);
    tensor.#description ??= native().describe(tensor.handle);
    return tensor.#description;
  }
}

/** Number of tensors that libtorch holds for JavaScript, in all threads of this process. */
export function liveTensors(): number {
  return native().live();
}

/** The typed array whose bytes are elements of a type. */
const KINDS: Record<DType, { new (length: number): TypedArray; name: string }> = {
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
};

/** Longer lists of plain numbers would take the memory of the process before they become a tensor. */
const LONGEST_LIST = 2 ** 27;

function toTypedArray(numbers: readonly number[], dtype: DType): TypedArray {
  const where = 'Tensor.from(data)';
  if (numbers.length > LONGEST_LIST) {
    throw mismatch('engine', {
      where,
      expected: `at most ${LONGEST_LIST} plain numbers`,
      got: numbers.length,
      hint: 'use a typed array',
    });
  }
  const isWhole = dtype === 'int64' || dtype === 'int32' || dtype === 'uint8';
  const range = RANGES[dtype];
  for (let i = 0; i < numbers.length; i++) {
    const number: unknown = numbers[i];
    if (typeof number !== 'number')
      throw mismatch('engine', { where, expected: `a number at place ${i}`, got: number });
    if (isWhole && !Number.isSafeInteger(number))
      throw mismatch('engine', { where, expected: `whole numbers for ${dtype}`, got: number });
    if (range !== undefined && (number < range[0] || number > range[1]))
      throw mismatch('engine', {
        where,
        expected: `numbers from ${range[0]} to ${range[1]} for ${dtype}`,
        got: number,
      });
  }
  switch (dtype) {
    case 'float32':
      return Float32Array.from(numbers);
    case 'float64':
      return Float64Array.from(numbers);
    case 'int64':
      return BigInt64Array.from(numbers, (number) => BigInt(number));
    case 'int32':
      return Int32Array.from(numbers);
    case 'uint8':
      return Uint8Array.from(numbers);
    case 'bool':
      return Uint8Array.from(numbers, (number) => (number === 0 ? 0 : 1));
    default:
      throw mismatch('engine', {
        where: 'Tensor.from',
        expected: 'float32 numbers to be cast later',
        got: dtype,
      });
  }
}

/** Whole numbers outside would wrap around. */
const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
};

function checkKind(array: unknown, kind: DType): asserts array is TypedArray {
  const wanted = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (wanted === undefined) {
    throw mismatch('engine', {
      where: 'Tensor.from(dtype)',
      expected: Object.keys(KINDS).join(', '),
      got: kind,
    });
  }
  if (!(array instanceof wanted)) {
    throw mismatch('engine', {
      where: 'Tensor.from(data)',
      expected: `${wanted.name} for ${kind}`,
      got: ArrayBuffer.isView(array) ? array.constructor.name : array,
      hint: 'convert with cast() afterwards',
    });
  }
}

function checkGradient(where: string, gradient: Tensor | undefined): void {
  if (gradient !== undefined && !Tensor.is(gradient))
    throw mismatch('engine', { where: `${where}(gradient)`, expected: 'a tensor', got: gradient });
}

function kindOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof BigInt64Array) return 'int64';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Uint8Array) return 'uint8';
  if (array instanceof Uint16Array) {
    throw mismatch('engine', {
      where: 'Tensor.from',
      expected: 'a dtype for 16-bit words (bfloat16 or float16)',
      got: 'none',
    });
  }
  throw mismatch('engine', {
    where: 'Tensor.from(data)',
    expected: 'numbers in an array or a typed array',
    got: array,
  });
}
