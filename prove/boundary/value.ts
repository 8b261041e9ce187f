/**
 * Values for calls, right and wrong ones, each with the words that describe it: a value that breaks
 * something must be named without being looked at.
 */
import { createRequire } from 'node:module';
import {
  cast,
  type DType,
  expand,
  Generator,
  narrow,
  operator,
  reshape,
  Tensor,
  transpose,
} from '../../src/tensor/index.js';
import { native } from '../../src/tensor/native.js';
import type { Dice } from './dice.js';

/** A value and how to say it. */
export interface Named {
  text: string;
  value: unknown;
}

/** What an argument is meant to be; `any` is for arguments that are wrong on purpose. */
export type Kind =
  | 'tensor'
  | 'tensors'
  | 'shape'
  | 'int'
  /** A whole number that says how much is to be made. */
  | 'count'
  | 'number'
  | 'flag'
  | 'dtype'
  | 'device'
  | 'generator'
  | 'text'
  | 'any';

const named = (text: string, value: unknown): Named => ({ text, value });
const DTYPES: readonly DType[] = [
  'float32',
  'float64',
  'bfloat16',
  'float16',
  'int64',
  'int32',
  'uint8',
  'bool',
];
/** Shapes that often fit together. */
const SHAPES: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [3],
  [6],
  [2, 3],
  [3, 2],
  [3, 3],
  [0, 3],
  [2, 0],
  [1, 3],
  [2, 1, 3],
  [2, 3, 4],
  [4, 3, 3],
  [2, 2, 3, 4],
  [2, 2, 4, 3],
  [1, 1, 1, 1, 1, 2],
];

/**
 * Lengths and counts. None lies between what is quickly made and what no machine holds: a request of some
 * gigabytes is not absurd, and its only effect here would be to slow down the machine.
 */
const INTS: readonly number[] = [
  0,
  0,
  1,
  1,
  1,
  2,
  2,
  3,
  4,
  5,
  7,
  64,
  -1,
  -1,
  -2,
  -3,
  -100,
  1024,
  2 ** 40,
  2 ** 52,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  -(2 ** 40),
];
/** For arguments that are no lengths, where the edges of 32 bits are of interest. */
const EDGES: readonly number[] = [2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 32 + 1, 2 ** 53];
const NUMBERS: readonly number[] = [
  0,
  1,
  -1,
  0.5,
  2,
  1e-5,
  -0,
  1e300,
  -1e300,
  1e-320,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  3.4e38,
];

const makeZeros = operator('aten::zeros', 'size dtype device');
const foreign = makeForeign();

/** An external of another addon, whose memory is not ours to read. */
function makeForeign(): unknown {
  const own = createRequire(import.meta.url);
  const bindings = createRequire(own.resolve('@duckdb/node-api'))('@duckdb/node-bindings') as {
    create_config(): unknown;
  };
  return bindings.create_config();
}

/** A value of a kind; wrong ones are left to `wrong`. */
export function right(kind: Kind, dice: Dice): Named {
  switch (kind) {
    case 'tensor':
      return tensor(dice);
    case 'tensors': {
      const count = dice.pick([0, 1, 1, 2, 2, 3]);
      const first = dice.pick(SHAPES);
      return list(
        Array.from({ length: count }, () => tensor(dice, dice.is(0.7) ? first : undefined)),
      );
    }
    case 'shape':
      if (dice.is(0.4)) return list(shapeOf(dice).map(number));
      return list(Array.from({ length: dice.int(4) }, () => whole(dice, dice.is(0.1))));
    case 'int':
      return whole(dice, dice.is(0.2), dice.is(0.1));
    case 'count':
      return whole(dice, dice.is(0.2));
    case 'number':
      return number(dice.is(0.7) ? dice.pick(NUMBERS) : dice.next() * 4 - 2);
    case 'flag':
      return number(dice.is(0.5));
    case 'dtype':
      return text(dice.pick(DTYPES));
    case 'device':
      return text(
        dice.pick(['cpu', 'cpu', 'cpu', 'cpu', 'cpu', 'cpu', 'cuda', 'cuda:99', 'meta', 'banana']),
      );
    case 'generator': {
      const seed = dice.int(5);
      return named(`new Generator(${seed})`, new Generator(seed));
    }
    case 'text':
      return text(
        dice.pick(['', 'x', 'a.b', 'B T', '... I', '/', '/nowhere', '/dev/zero', '\0', '\ud800']),
      );
    case 'any':
      return wrong(dice);
  }
}

const number = (value: number | boolean): Named =>
  named(Object.is(value, -0) ? '-0' : String(value), value);
const text = (value: string): Named => named(JSON.stringify(value), value);
const list = (entries: readonly Named[]): Named =>
  named(
    `[${entries.map((entry) => entry.text).join(', ')}]`,
    entries.map((entry) => entry.value),
  );

function whole(dice: Dice, isWild = false, isEdge = false): Named {
  if (isEdge) return number(dice.pick(EDGES));
  if (isWild && dice.is(0.2)) {
    const value = dice.pick([
      0n,
      2n,
      -1n,
      2n ** 40n,
      2n ** 62n,
      -(2n ** 63n),
      2n ** 63n,
      2n ** 200n,
    ]);
    return named(`${value}n`, value);
  }
  return number(isWild ? dice.pick(INTS) : dice.pick([0, 0, 0, 1, 1, 1, 2, 2, 3, -1, -1, -2]));
}

const shapeOf = (dice: Dice): readonly number[] =>
  dice.is(0.7) ? (SHAPES[dice.theme % SHAPES.length] as number[]) : dice.pick(SHAPES);

/** Elements that make trouble where a function does not expect them. */
function element(dice: Dice, dtype: DType): number {
  if (dtype === 'bool') return dice.int(2);
  if (dtype === 'uint8') return dice.pick([0, 1, 2, 255]);
  if (dtype === 'int32') return dice.pick([0, 1, 2, -1, 2 ** 31 - 1, -(2 ** 31)]);
  if (dtype === 'int64') return dice.pick([0, 0, 1, 1, 2, 2, 3, -1, -100, 2 ** 40, -(2 ** 52)]);
  return dice.is(0.8) ? dice.next() * 4 - 2 : dice.pick(NUMBERS);
}

/** A tensor of a random shape, type, content and layout; now and then one that is disposed. */
function tensor(dice: Dice, shape: readonly number[] = shapeOf(dice)): Named {
  const usual = dice.theme % 3 === 0 ? (DTYPES[dice.theme % DTYPES.length] as DType) : 'float32';
  const dtype = dice.is(0.75) ? usual : dice.pick(DTYPES);
  const size = shape.reduce((product, length) => product * length, 1);
  const numbers = Array.from({ length: size }, () => element(dice, dtype));
  const isSixteen = dtype === 'bfloat16' || dtype === 'float16';
  let made = Tensor.from(numbers, shape, isSixteen ? 'float32' : dtype);
  if (isSixteen) made = cast(made, dtype);
  let words = `${dtype} [${shape}]`;
  const layout = dice.next();
  if (layout < 0.12 && shape.length > 1) {
    made = transpose(transpose(made, 0, 1), 0, -1);
    words += ' with axes turned';
  } else if (layout < 0.2 && size > 0) {
    made = expand(
      reshape(
        narrow(reshape(made, [size]), 0, 0, 1),
        shape.map(() => 1),
      ),
      shape,
    );
    words += ' of one element expanded';
  } else if (layout < 0.28 && shape.length > 0 && (shape[0] as number) > 1) {
    made = narrow(made, 0, 1, (shape[0] as number) - 1);
    words += ' from its second row';
  } else if (layout < 0.33) {
    made = makeZeros(shape, 6, 'meta');
    words = `meta [${shape}]`;
  } else if (layout < 0.36) {
    made.dispose();
    words += ' disposed';
  }
  if (layout > 0.8 && /^float(32|64)/.test(dtype)) {
    made.setRequiresGrad(true);
    words += ' with gradient';
  }
  return named(`tensor(${words})`, made);
}

const thrower = (): never => {
  throw new Error('a trap of the test');
};
const TRAPS: ProxyHandler<object> = {
  get: thrower,
  has: thrower,
  getPrototypeOf: thrower,
  ownKeys: thrower,
  getOwnPropertyDescriptor: thrower,
};

/** What no function asks for, but a caller without types may pass. */
const WRONG: readonly ((dice: Dice) => Named)[] = [
  () => named('undefined', undefined),
  () => named('null', null),
  (dice) => number(dice.pick([...NUMBERS, ...INTS, ...EDGES])),
  (dice) => whole(dice, true),
  (dice) =>
    text(dice.pick(['', 'cpu', 'cuda', 'meta', 'float32', 'mean', '__proto__', 'toString'])),
  () => named('a string of 100,000', 'x'.repeat(100_000)),
  () => named('a symbol', Symbol('s')),
  () => named('a function', () => 0),
  () => named('a class', class Foreign {}),
  () => named('true', true),
  () => named('{}', {}),
  () => named('an object without prototype', Object.create(null)),
  () => named('a cyclic object', cyclic({})),
  () => named('a cyclic array', cyclic([])),
  () => named('an array of 2^32 - 1 holes', new Array(2 ** 32 - 1)),
  () => named('an array of holes', new Array(3)),
  () => named('nested arrays', nested(2000)),
  () =>
    named('an array with a getter that throws', Object.defineProperty([1], 0, { get: thrower })),
  (dice) => disposing(dice),
  () => named('a proxy that throws', new Proxy({}, TRAPS)),
  () => named('an array proxy that throws', new Proxy([1], { get: thrower })),
  () => named('a revoked proxy', revoked()),
  (dice) => {
    const { text: words, value } = tensor(dice);
    return named(`a proxy of ${words}`, new Proxy(value as object, {}));
  },
  () => named('an object like a tensor', Object.create(Tensor.prototype)),
  () => named('an object like a generator', Object.create(Generator.prototype)),
  (dice) => {
    const { text: words, value } = tensor(dice);
    return named(`the handle of ${words}`, (value as Tensor).handle);
  },
  () => named('the handle of a generator', new Generator(1).handle),
  () => named('a generator that was disposed', endedGenerator()),
  () => named('an external of another addon', foreign),
  () => named('{ handle: an external of another addon }', { handle: foreign }),
  () => named('new Float32Array(3)', new Float32Array(3)),
  () => named('a typed array without its buffer', detached()),
  () => named('a shared typed array', new Int32Array(new SharedArrayBuffer(8))),
  () => named('an odd view', new Float32Array(new ArrayBuffer(32), 4, 2)),
  () => named('a DataView', new DataView(new ArrayBuffer(8))),
  () => named('a Date', new Date(0)),
  () => named('a Map', new Map([[1, 2]])),
  () => named('an object with a toString that throws', { toString: thrower, valueOf: thrower }),
  () => named('an object that says it is 1', { valueOf: () => 1, [Symbol.toPrimitive]: () => 1 }),
  // biome-ignore lint/suspicious/noThenProperty: something that looks like a promise is the point
  () => named('a thenable', { then: thrower }),
];

/** What a method may find itself called on: a tensor, or something that only looks like one. */
export function receiver(dice: Dice): Named {
  const { text: words, value } = tensor(dice);
  if (dice.is(0.9)) return named(words, value);
  if (dice.is(0.5)) return named('an object like a tensor', Object.create(Tensor.prototype));
  return named(`a proxy of ${words}`, new Proxy(value as object, {}));
}

/** Anything at all. */
export const wrong = (dice: Dice): Named => dice.pick(WRONG)(dice);

function cyclic<T extends object>(value: T): T {
  (value as Record<number, unknown>)[0] = value;
  return value;
}

function nested(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** An array that disposes a tensor while it is read. */
function disposing(dice: Dice): Named {
  const { value } = tensor(dice);
  const array: unknown[] = [value, 0];
  Object.defineProperty(array, 1, {
    get: () => {
      (value as Tensor).dispose();
      return value;
    },
  });
  return named('an array that disposes its tensor when read', array);
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function endedGenerator(): Generator {
  const generator = new Generator(1);
  native().dispose(generator.handle);
  return generator;
}

function detached(): Float32Array {
  const view = new Float32Array(4);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}
