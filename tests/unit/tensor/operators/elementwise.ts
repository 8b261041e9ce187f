/** Rows of functions that work element by element. */
import * as t from '../../../../src/tensor/index.js';
import { erf, map, type Nd, zip } from './reference.js';
import { ALL, FLOATS, flags, NUMBERS, nd, positive, type Row, type Table } from './row.js';

type One = (x: t.Tensor) => t.Tensor;
type Two = (x: t.Tensor, y: t.Tensor) => t.Tensor;

/** Any number of axes, none and empty ones among them. */
const SHAPES = [[2, 3], [], [0, 3], [1, 17]] as const;
const PAIRS = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [4]],
  [
    [0, 3],
    [1, 3],
  ],
] as const;

const toFloat = (dtype: t.DType): t.DType => (FLOATS.includes(dtype) ? dtype : 'float32');
const toBool = (): t.DType => 'bool';

function one(
  run: One,
  want: (x: number) => number,
  named: RegExp,
  options: Partial<Row> & { from?: typeof nd } = {},
): Row {
  const { from = nd, ...rest } = options;
  const cases = SHAPES.map((shape, i) => ({
    inputs: [from(shape, i + 1)],
    run,
    want: (x: Nd) => map(x, want),
  }));
  return { dtypes: FLOATS, gradient: true, cases, named, ...rest };
}

function two(
  run: Two,
  want: (x: number, y: number) => number,
  named: RegExp,
  options: Partial<Row> = {},
): Row {
  const cases = PAIRS.map(([a, b], i) => ({
    inputs: [nd(a, i + 1), nd(b, i + 7)],
    run,
    want: (x: Nd, y: Nd) => zip(x, y, want),
  }));
  const misfit = (): unknown => run(t.zeros([2, 3]), t.zeros([2, 4]));
  return { dtypes: FLOATS, gradient: true, cases, named, misfits: [misfit], ...options };
}

/** Cases with a plain number in the second place. */
const withNumber = (
  run: (x: t.Tensor, y: number) => t.Tensor,
  want: (x: number, y: number) => number,
  numbers: readonly number[],
): Row['cases'] =>
  numbers.map((y) => ({
    inputs: [nd([2, 3], 4)],
    run: (x) => run(x, y),
    want: (x) => map(x, (a) => want(a, y)),
  }));

const or = (x: number, y: number): number => (x !== 0 || y !== 0 ? 1 : 0);
const and = (x: number, y: number): number => (x !== 0 && y !== 0 ? 1 : 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const all = { dtypes: ALL, result: toFloat };

const add = two(t.add, (x, y) => x + y, /aten::add/, { dtypes: NUMBERS, loose: [1] });
const mul = two(t.mul, (x, y) => x * y, /aten::mul/, { dtypes: ALL, loose: [1] });
const div = two(t.div, (x, y) => x / y, /aten::div/, { result: toFloat, loose: [1] });
const scaled = (scale: number): Row['cases'][number] => ({
  inputs: [nd([2, 3], 1), nd([2, 3], 2)],
  run: (x, y) => t.add(x, y, scale),
  want: (x, y) => zip(x, y, (a, b) => a + scale * b),
});

const finiteCases: Row['cases'] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  3,
].map((x) => ({
  inputs: [{ shape: [2], data: [x, 1] }],
  run: t.finite,
  want: (array) => map(array, (value) => (Number.isFinite(value) ? 1 : 0)),
}));
const EQUAL: readonly (readonly [Nd, Nd])[] = [
  [nd([2, 3], 1), nd([2, 3], 1)],
  [nd([2, 3], 1), nd([3], 1)],
  [nd([0, 3], 1), nd([3], 1)],
];

function relation(
  run: Two,
  want: (x: number, y: number) => boolean,
  named: RegExp,
  options: Partial<Row> = {},
): Row {
  const cases = EQUAL.map(([a, b]) => ({
    inputs: [a, b],
    run,
    want: (x: Nd, y: Nd) => zip(x, y, (p, q) => (want(p, q) ? 1 : 0)),
  }));
  const misfits = [(): unknown => run(t.zeros([2, 3]), t.zeros([2, 4]))];
  return { dtypes: ALL, result: toBool, gradient: false, cases, named, misfits, ...options };
}

export const elementwise: Table = {
  add: {
    ...add,
    cases: [...add.cases, ...withNumber(t.add, (x, y) => x + y, [2, -3]), scaled(2), scaled(-3)],
  },
  sub: two(t.sub, (x, y) => x - y, /aten::sub/, { dtypes: NUMBERS }),
  mul: {
    ...mul,
    dtypes: NUMBERS,
    cases: [...mul.cases, ...withNumber(t.mul, (x, y) => x * y, [2, 0])],
  },
  div: { ...div, cases: [...div.cases, ...withNumber(t.div, (x, y) => x / y, [2, 3, -0.7, 1e-3])] },
  neg: one(t.neg, (x) => -x, /aten::neg/, { dtypes: NUMBERS }),
  exp: one(t.exp, Math.exp, /aten::exp/, all),
  log: one(t.log, Math.log, /aten::log/, { from: positive }),
  sqrt: one(t.sqrt, Math.sqrt, /aten::sqrt/, { from: positive, ...all }),
  rsqrt: one(t.rsqrt, (x) => 1 / Math.sqrt(x), /aten::rsqrt/, { from: positive, slack: 2 }),
  square: one(t.square, (x) => x * x, /aten::square/, { dtypes: NUMBERS }),
  cos: one(t.cos, Math.cos, /aten::cos/, all),
  sin: one(t.sin, Math.sin, /aten::sin/, all),
  relu: one(t.relu, (x) => Math.max(x, 0), /aten::relu/, { dtypes: NUMBERS }),
  silu: one(t.silu, (x) => x * sigmoid(x), /aten::silu/),
  gelu: one(t.gelu, (x) => (x / 2) * (1 + erf(x / Math.SQRT2)), /aten::gelu/, { slack: 2 }),
  sigmoid: one(t.sigmoid, sigmoid, /aten::sigmoid/, all),
  softplus: one(t.softplus, (x) => Math.log1p(Math.exp(x)), /aten::softplus/),
  finite: {
    ...one(t.finite, () => 1, /aten::isfinite/, {
      dtypes: FLOATS,
      result: toBool,
      gradient: false,
    }),
    cases: finiteCases,
  },
  equalsZero: one(t.equalsZero, (x) => (x === 0 ? 1 : 0), /aten::logical_not/, {
    dtypes: ALL,
    result: toBool,
    gradient: false,
  }),
  equal: {
    ...relation(t.equal, (x, y) => x === y, /aten::eq/, { loose: [1] }),
    dtypes: NUMBERS,
    cases: [
      ...relation(t.equal, (x, y) => x === y, /aten::eq/).cases,
      ...withNumber(t.equal, (x, y) => (x === y ? 1 : 0), [1, 0]),
    ],
  },
  atMost: relation(t.atMost, (x, y) => x <= y, /aten::le/),
  or: relation(t.or, (x, y) => or(x, y) === 1, /aten::logical_or/),
  and: relation(t.and, (x, y) => and(x, y) === 1, /aten::logical_and/),
  where: {
    dtypes: ALL,
    gradient: true,
    named: /aten::where/,
    cases: [
      {
        inputs: [flags([2, 3], [1, 0, 0, 1, 1, 0]), nd([2, 3], 1), nd([3], 2)],
        run: t.where,
        want: (c, x, y) =>
          zip(
            zip(c, x, (p, a) => (p ? a : Number.NaN)),
            y,
            (a, b) => (Number.isNaN(a) ? b : a),
          ),
      },
      { inputs: [flags([0], []), nd([0], 1), nd([0], 2)], run: t.where, want: (_c, x) => x },
    ],
    misfits: [() => t.where(t.zeros([2], { dtype: 'bool' }), t.zeros([3]), t.zeros([3]))],
  },
  maskedFill: {
    dtypes: NUMBERS,
    gradient: true,
    named: /aten::masked_fill/,
    cases: [5, -2].map((value) => ({
      inputs: [nd([2, 3], 1), flags([3], [1, 0, 1])],
      run: (x, mask) => t.maskedFill(x, mask, value),
      want: (x, mask) => zip(x, mask, (a, isMasked) => (isMasked ? value : a)),
    })),
    misfits: [
      () => t.maskedFill(t.zeros([3]), t.zeros([2], { dtype: 'bool' }), 1),
      () => t.maskedFill(t.zeros([3]), t.zeros([3]), 1),
    ],
  },
};
