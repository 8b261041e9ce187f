/**
 * The handle of a libtorch tensor.
 *
 * A handle owns a reference; views share storage with what they were made from. Operators are
 * functions (`operators.ts`), not methods: what a tensor can do by itself is to be asked and freed.
 */
import { IloraError, mismatch } from '../errors/index.js';
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
    const array = Array.isArray(data)
      ? toTypedArray(data as number[], dtype ?? 'float32')
      : (data as TypedArray);
    const kind = dtype ?? kindOf(array);
    if (!(array instanceof KINDS[kind])) {
      throw mismatch('engine', {
        where: 'Tensor.from(data)',
        expected: `${KINDS[kind].name} for ${kind}`,
        got: array.constructor.name,
        hint: 'convert with cast() afterwards',
      });
    }
    try {
      return new Tensor(native().fromBytes(array, shape ?? [array.length], DTYPE_CODES[kind]));
    } catch (error) {
      throw new IloraError(
        'engine',
        `Tensor.from: ${(error as Error).message}`,
        { shape, dtype: kind },
        error,
      );
    }
  }

  /** Elements per axis. */
  get shape(): readonly number[] {
    this.#checkAlive();
    this.#shape ??= this.#describe().slice(3) as number[];
    return this.#shape;
  }

  get dtype(): DType {
    return dtypeName(this.#describe()[0]);
  }

  get device(): Device {
    return this.#describe()[1] as Device;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }

  /** Length of an axis; negative axes count from the end. */
  axis(index: number): number {
    const length = this.shape.at(index);
    if (length === undefined) {
      throw mismatch('shape', {
        where: `axis(${index})`,
        expected: `a tensor with that axis`,
        got: this.shape,
      });
    }
    return length;
  }

  /** Whether gradients are collected for it. */
  get requiresGrad(): boolean {
    this.#checkAlive();
    return native().describe(this.handle)[2];
  }

  /** Makes it a leaf that collects gradients, or stops that. */
  setRequiresGrad(enabled: boolean): this {
    this.#checkAlive();
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
    this.#checkAlive();
    const handle = native().gradient(this.handle);
    return handle === null ? undefined : new Tensor(handle);
  }

  /** Replaces the collected gradient, or forgets it. @throws IloraError `shape` if it has another shape */
  setGrad(gradient?: Tensor): void {
    this.#checkAlive();
    if (gradient !== undefined && gradient.shape.join() !== this.shape.join()) {
      throw mismatch('shape', {
        where: 'setGrad(gradient)',
        expected: `shape [${this.shape.join(', ')}]`,
        got: gradient.shape,
      });
    }
    native().setGradient(this.handle, gradient?.handle);
  }

  /** Gradients of this (a scalar, or with `gradient` given) with respect to all leaves, added to `grad`. */
  backward(gradient?: Tensor): void {
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
    this.#checkAlive();
    const bytes = native().toBytes(this.handle);
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
      const words = new Uint16Array(native().toBytes(this.handle));
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
    return this.#isDisposed;
  }

  /** Frees the reference now. Harmless when done twice. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.owner?.remove(this);
    native().dispose(this.handle);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return this.#isDisposed
      ? 'Tensor(disposed)'
      : `Tensor([${this.shape.join(', ')}] ${this.dtype} ${this.device})`;
  }

  /** @internal Forgets what was read off the handle; for operators that change it in place. */
  forget(): void {
    this.#description = undefined;
    this.#shape = undefined;
  }

  #checkAlive(): void {
    if (this.#isDisposed) {
      throw new IloraError(
        'engine',
        'tensor: it was disposed and cannot be used any more — was it made inside a scope?',
      );
    }
  }

  #describe(): [number, string, boolean, ...number[]] {
    this.#checkAlive();
    this.#description ??= native().describe(this.handle);
    return this.#description;
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

function toTypedArray(numbers: readonly number[], dtype: DType): TypedArray {
  const isWhole = dtype === 'int64' || dtype === 'int32' || dtype === 'uint8';
  const fraction = isWhole ? numbers.find((number) => !Number.isSafeInteger(number)) : undefined;
  if (fraction !== undefined) {
    throw mismatch('engine', {
      where: 'Tensor.from(data)',
      expected: `whole numbers for ${dtype}`,
      got: fraction,
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

function kindOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof BigInt64Array) return 'int64';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Uint8Array) return 'uint8';
  throw mismatch('engine', {
    where: 'Tensor.from',
    expected: 'a dtype for 16-bit words (bfloat16 or float16)',
    got: 'none',
  });
}
