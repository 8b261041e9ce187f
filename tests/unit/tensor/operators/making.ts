/** Rows of functions that make tensors, draw random numbers or work in place. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as t from '../../../../src/tensor/index.js';
import { temporaryFolder } from '../../../support/folder.js';
import { Mersenne, rowBytes } from './mersenne.js';
import { at, build, map, matmul, type Nd, roundAs, size, zip } from './reference.js';
import { ALL, type Case, FLOATS, NUMBERS, nd, positive, type Row, type Table } from './row.js';

const WIDE: readonly t.DType[] = ['float32', 'float64'];
const filled = (shape: readonly number[], value: number): Nd => build(shape, () => value);
const SHAPES = [[2, 3], [], [0, 3]] as const;

/** Functions without tensors among their arguments: the type is an option, the first input only tells it. */
const made = (
  run: (like: t.Tensor) => t.Tensor,
  want: (dtype: t.DType) => Nd,
): Omit<Case, 'inputs'> & { inputs: readonly Nd[] } => ({
  inputs: [{ shape: [1], data: [0] }],
  run,
  want: (like) => want((like as Nd & { own: t.DType }).own),
});

const refusedShapes = (make: (shape: never, options?: never) => t.Tensor): Row['misfits'] => [
  () => make([-1] as never),
  () => make([1.5] as never),
  () => make(3 as never),
  () => make([2 ** 45] as never),
  () => make([2 ** 40, 2 ** 40] as never),
  () => make([2] as never, { dtype: 'float31' } as never),
  () => make([2] as never, { dtype: 'toString' } as never),
  () => make([2] as never, { device: 'banana' } as never),
  () => make([2] as never, { device: 'meta' } as never),
  () => make([2] as never, null as never),
];

const draw = (shape: readonly number[], dtype: t.DType, low: number, high: number): Nd => {
  const source = new Mersenne(5);
  const own = dtype as 'float32' | 'float64';
  return build(shape, () => roundAs(source.uniform(own) * (high - low) + low, dtype));
};
const normal = (shape: readonly number[], dtype: t.DType, center = 0, deviation = 1): Nd => {
  const numbers = new Mersenne(5).normal(size(shape), dtype as 'float32' | 'float64');
  return { shape, data: numbers.map((x) => x * deviation + center) };
};

/** In-place functions on copies, so that nothing but their effect is seen. */
function effect(
  f: (...tensors: t.Tensor[]) => void,
  want: Case['want'],
  inputs: readonly Nd[],
): Case {
  return {
    inputs,
    run: (x, ...rest) => {
      f(x as t.Tensor, ...rest);
      return x as t.Tensor;
    },
    want,
  };
}

type Many = (xs: t.Tensor[], ys: t.Tensor[], zs: t.Tensor[]) => void;

/** foreach functions on two tensors each; the three lists run in step. */
function step(
  f: Many,
  want: (x: number, y: number, z: number) => number,
  named: RegExp,
  rest: Partial<Row> = {},
): Row {
  const shapes = [[2, 3], [4], [0, 2], []] as const;
  const cases = [
    [0, 1],
    [2, 3],
  ].map((pick): Case => {
    const [a, b] = pick.map((i) => shapes[i] as readonly number[]) as [
      readonly number[],
      readonly number[],
    ];
    return {
      inputs: [nd(a, 1), nd(b, 2), nd(a, 3), nd(b, 4), positive(a, 5), positive(b, 6)],
      run: (x1, x2, y1, y2, z1, z2) => {
        const own = [t.clone(x1 as t.Tensor), t.clone(x2 as t.Tensor)];
        f(own, [y1 as t.Tensor, y2 as t.Tensor], [z1 as t.Tensor, z2 as t.Tensor]);
        return own;
      },
      want: (x1, x2, y1, y2, z1, z2) =>
        [
          [x1, y1, z1],
          [x2, y2, z2],
        ].map(([x, y, z]) =>
          build((x as Nd).shape, (i) => want(at(x as Nd, i), at(y as Nd, i), at(z as Nd, i))),
        ),
    };
  });
  const short = (): void => f([t.zeros([2])], [t.zeros([2]), t.zeros([2])], [t.zeros([2])]);
  const other = (): void => f([t.zeros([2])], [t.zeros([3])], [t.zeros([3])]);
  return {
    dtypes: FLOATS,
    result: (dtype) => [dtype, dtype],
    slack: 3,
    gradient: false,
    cases,
    named,
    misfits: [short, other],
    loose: [0, 1, 2, 3, 4, 5],
    ...rest,
  };
}

const wrongLists = (f: (xs: never, y: never) => unknown): Row['misfits'] => [
  () => f([t.zeros([1]), 3] as never, 1 as never),
  () => f(t.zeros([1]) as never, 1 as never),
  () => f([t.zeros([1])] as never, 'text' as never),
];

const folder = temporaryFolder();
const path = join(folder, 'bytes');
writeFileSync(path, Uint8Array.of(1, 2, 250, 4));

const rng = (): t.Generator => new t.Generator(5);
const fe = t.foreach;

export const making: Table = {
  zeros: {
    dtypes: ALL,
    gradient: false,
    named: /aten::zeros|dtype|device|zeros/,
    cases: SHAPES.map((shape) =>
      made(
        ({ dtype }) => t.zeros(shape, { dtype }),
        () => filled(shape, 0),
      ),
    ),
    misfits: refusedShapes(t.zeros as never),
    loose: [0],
  },
  full: {
    dtypes: NUMBERS,
    gradient: false,
    named: /aten::full|dtype|device|full/,
    cases: SHAPES.map((shape) =>
      made(
        ({ dtype }) => t.full(shape, -3, { dtype }),
        () => filled(shape, -3),
      ),
    ),
    misfits: [
      ...(refusedShapes(((shape: number[], options?: never) =>
        t.full(shape, 1, options)) as never) ?? []),
      () => t.full([1], 'one' as never),
      () => t.full([1], null as never),
    ],
    loose: [0],
  },
  arange: {
    dtypes: NUMBERS,
    gradient: false,
    named: /aten::arange|dtype|device|arange/,
    cases: (
      [
        [0, 5, 1],
        [2, -4, -2],
        [3, 3, 1],
      ] as const
    ).map(([start, end, by]) =>
      made(
        ({ dtype }) => t.arange(start, end, { step: by, dtype }),
        () => {
          const count = Math.max(0, Math.ceil((end - start) / by));
          return build([count], ([i]) => start + (i as number) * by);
        },
      ),
    ),
    misfits: [
      () => t.arange(0, 5, { step: 0 }),
      () => t.arange(0, -5),
      () => t.arange(0, Number.NaN),
      () => t.arange(0, Number.POSITIVE_INFINITY),
      () => t.arange(0, 2 ** 53),
      () => t.arange('0' as never, 5),
      () => t.arange(0, 5, { device: 'banana' as never }),
    ],
    loose: [0],
  },
  randn: {
    dtypes: WIDE,
    slack: 20,
    gradient: false,
    named: /aten::randn|randn|dtype/,
    cases: [[3, 5], [17, 3], [], [0], [4, 4]].map((shape) =>
      made(
        ({ dtype }) => t.randn(shape, rng(), dtype),
        (dtype) => normal(shape, dtype),
      ),
    ),
    misfits: [
      () => t.randn([-1], rng()),
      () => t.randn([2], {} as never),
      () => t.randn([2], null as never),
      () => t.randn([2], t.zeros([1]) as never),
      () => t.randn([2], rng(), 'float31' as never),
      () => t.randn([2], rng(), 'int64'),
    ],
    loose: [0],
  },
  zerosLike: {
    dtypes: ALL,
    gradient: false,
    named: /aten::zeros_like/,
    cases: SHAPES.map((shape) => ({
      inputs: [nd(shape)],
      run: t.zerosLike,
      want: (x: Nd) => filled(x.shape, 0),
    })),
  },
  copy_: {
    dtypes: ALL,
    gradient: true,
    named: /aten::(copy_|clone)/,
    cases: (
      [
        [
          [2, 3],
          [2, 3],
        ],
        [[2, 3], [3]],
        [[0, 3], [3]],
        [[], []],
      ] as const
    ).map(([a, b]) => ({
      inputs: [nd(a, 1), nd(b, 2)],
      run: (x, y) => {
        const own = t.clone(x);
        t.copy_(own, y);
        return own;
      },
      want: (x, y) => build(x.shape, (index) => at(y, index)),
    })),
    misfits: [() => t.copy_(t.zeros([2]), t.zeros([3])), () => t.copy_(t.zeros([]), t.zeros([2]))],
  },
  addProduct_: {
    dtypes: FLOATS,
    slack: 6,
    gradient: true,
    named: /addProduct_|aten::(addmm_|clone)/,
    cases: (
      [
        [
          [2, 3],
          [2, 4],
          [4, 3],
        ],
        [
          [2, 3],
          [2, 1],
          [1, 3],
        ],
        [
          [0, 3],
          [0, 2],
          [2, 3],
        ],
      ] as const
    ).map(([x, y, z]) => ({
      inputs: [nd(x, 1), nd(y, 2), nd(z, 3)],
      run: (own, a, b) => {
        const sum = t.clone(own);
        t.addProduct_(sum, a, b, 0.5);
        return sum;
      },
      want: (own, a, b) => zip(own, matmul(a, b), (p, q) => p + 0.5 * q),
    })),
    misfits: [
      () => t.addProduct_(t.zeros([2, 3]), t.zeros([2, 4]), t.zeros([5, 3])),
      () => t.addProduct_(t.zeros([2, 3]), t.zeros([3, 4]), t.zeros([4, 3])),
      () => t.addProduct_(t.zeros([3]), t.zeros([2, 4]), t.zeros([4, 3])),
    ],
  },
  addElementProduct_: {
    dtypes: FLOATS,
    slack: 2,
    gradient: true,
    named: /aten::(addcmul_|clone)/,
    cases: (
      [
        [
          [2, 3],
          [2, 3],
          [2, 3],
        ],
        [[2, 3], [3], [2, 1]],
        [[0, 3], [3], [3]],
        [[], [], []],
      ] as const
    ).map(([x, y, z]) => ({
      inputs: [nd(x, 1), nd(y, 2), nd(z, 3)],
      run: (own, a, b) => {
        const sum = t.clone(own);
        t.addElementProduct_(sum, a, b);
        return sum;
      },
      want: (own, a, b) => build(own.shape, (i) => at(own, i) + at(a, i) * at(b, i)),
    })),
    misfits: [
      () => t.addElementProduct_(t.zeros([2, 3]), t.zeros([2, 4]), t.zeros([2, 3])),
      () => t.addElementProduct_(t.zeros([3]), t.zeros([2, 3]), t.zeros([3])),
    ],
  },
  zero_: {
    dtypes: ALL,
    gradient: false,
    named: /aten::zero_/,
    cases: SHAPES.map((shape) => effect(t.zero_ as never, (x) => filled(x.shape, 0), [nd(shape)])),
  },
  uniform_: {
    dtypes: WIDE,
    slack: 4,
    gradient: false,
    layouts: ['plain'],
    named: /aten::uniform_/,
    cases: SHAPES.map((shape) =>
      effect(
        (x) => t.uniform_(x, -1, 3, rng()),
        (x) => draw(shape, (x as Nd & { own: t.DType }).own, -1, 3),
        [nd(shape)],
      ),
    ),
    misfits: [
      () => t.uniform_(t.zeros([2]), 2, 1, rng()),
      () => t.uniform_(t.zeros([2]), Number.NaN, 1, rng()),
      () => t.uniform_(t.zeros([2], { dtype: 'int64' }), 0, 1, rng()),
      () => t.uniform_(t.zeros([2]), 0, 1, t.zeros([1]) as never),
    ],
  },
  normal_: {
    dtypes: WIDE,
    slack: 20,
    gradient: false,
    layouts: ['plain'],
    named: /aten::normal_/,
    cases: [[2, 3], [5, 4], [0]].map((shape) =>
      effect(
        (x) => t.normal_(x, 2, 0.5, rng()),
        (x) => normal(shape, (x as Nd & { own: t.DType }).own, 2, 0.5),
        [nd(shape)],
      ),
    ),
    misfits: [
      () => t.normal_(t.zeros([2]), 0, -1, rng()),
      () => t.normal_(t.zeros([2]), 0, 1, {} as never),
    ],
  },
  dropout: {
    dtypes: FLOATS,
    gradient: true,
    slack: 2,
    named: /dropout/,
    cases: [0.1, 0.5, 0.9].map((p) => ({
      inputs: [nd([2, 3, 5], 1)],
      run: (x) => t.dropout(x, p, new t.RowStreams(BigInt64Array.of(7n, -9n))),
      want: (x) => {
        const level = Math.round(p * 256);
        const bytes = [7n, -9n].flatMap((key) => rowBytes(BigInt.asUintN(64, key), 0, 15));
        const data = x.data.map((v, i) =>
          (bytes[i] as number) >= level ? (v * 256) / (256 - level) : 0,
        );
        return { shape: x.shape, data };
      },
    })),
    misfits: [
      () => t.dropout(t.zeros([2]), 1, new t.RowStreams(BigInt64Array.of(1n, 2n))),
      () => t.dropout(t.zeros([3]), 0.5, new t.RowStreams(BigInt64Array.of(1n, 2n))),
      () => t.dropout(t.zeros([2]), 0.5, null as never),
      () => t.dropout(t.zeros([2]), '0' as never, new t.RowStreams(BigInt64Array.of(1n, 2n))),
    ],
  },
  zeroSome: {
    dtypes: FLOATS,
    gradient: true,
    named: /dropout/,
    cases: [0, 0.1, 0.9].map((p) => ({
      inputs: [nd([2, 3, 5], 1)],
      run: (x) => t.zeroSome(x, p, new t.RowStreams(BigInt64Array.of(7n, -9n))).kept,
      want: (x) => {
        const bytes = [7n, -9n].flatMap((key) => rowBytes(BigInt.asUintN(64, key), 0, 15));
        const level = Math.round(p * 256);
        return {
          shape: x.shape,
          data: x.data.map((v, i) => ((bytes[i] as number) < level ? 0 : v)),
        };
      },
    })),
    misfits: [() => t.zeroSome(t.zeros([2]), 1, new t.RowStreams(BigInt64Array.of(1n, 2n)))],
  },
  mapFile: {
    dtypes: ['uint8'],
    gradient: false,
    named: /mapFile/,
    cases: [1, 4].map((count) =>
      made(
        () => t.mapFile(path, count),
        () => ({ shape: [count], data: [1, 2, 250, 4].slice(0, count) }),
      ),
    ),
    misfits: [
      () => t.mapFile(path, 5),
      () => t.mapFile(path, -1),
      () => t.mapFile(path, 1.5),
      () => t.mapFile(folder, 1),
      () => t.mapFile('/dev/zero', 4),
      () => t.mapFile('\0', 1),
      () => t.mapFile(7 as never, 1),
    ],
    loose: [0],
  },
  'foreach.mulNumber_': step(
    (xs) => fe.mulNumber_(xs, 1.5),
    (x) => x * 1.5,
    /_foreach_mul_/,
    {
      misfits: wrongLists(fe.mulNumber_),
    },
  ),
  'foreach.mul_': step(
    (xs, ys) => fe.mul_(xs, ys),
    (x, y) => x * y,
    /_foreach_mul_/,
  ),
  'foreach.add_': step(
    (xs, ys) => fe.add_(xs, ys, -0.5),
    (x, y) => x - 0.5 * y,
    /_foreach_add_/,
  ),
  'foreach.addNumber_': step(
    (xs) => fe.addNumber_(xs, 0.5),
    (x) => x + 0.5,
    /_foreach_add_/,
    {
      misfits: wrongLists(fe.addNumber_),
    },
  ),
  'foreach.addcmul_': step(
    (xs, ys, zs) => fe.addcmul_(xs, ys, zs, 0.5),
    (x, y, z) => x + 0.5 * y * z,
    /_foreach_addcmul_/,
  ),
  'foreach.addcdiv_': step(
    (xs, ys, zs) => fe.addcdiv_(xs, ys, zs, -0.25),
    (x, y, z) => x - (0.25 * y) / z,
    /_foreach_addcdiv_/,
  ),
  'foreach.sqrt': {
    dtypes: FLOATS,
    result: (dtype) => [dtype, dtype],
    gradient: true,
    named: /_foreach_sqrt/,
    loose: [0, 1],
    cases: [
      {
        inputs: [positive([2, 3], 1), positive([0], 2)],
        run: (x, y) => fe.sqrt([x, y]),
        want: (x, y) => [map(x, Math.sqrt), map(y, Math.sqrt)],
      },
    ],
    misfits: wrongLists(fe.sqrt as never)?.slice(0, 2),
  },
  'foreach.norm': {
    dtypes: FLOATS,
    result: (dtype) => [dtype, dtype],
    gradient: true,
    slack: 3,
    named: /_foreach_norm/,
    loose: [0, 1],
    cases: [
      {
        inputs: [nd([2, 3], 1), nd([4], 2)],
        run: (x, y) => fe.norm([x, y]),
        want: (x, y) => [x, y].map(({ data }) => ({ shape: [], data: [Math.hypot(...data)] })),
      },
    ],
    misfits: wrongLists(fe.norm as never)?.slice(0, 2),
  },
};
