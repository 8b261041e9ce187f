/** Rows of functions that arrange elements and change their type. */
import * as t from '../../../../src/tensor/index.js';
import { at, axisOf, build, decode, encode, map, type Nd, permute, roundAs } from './reference.js';
import { ALL, type Case, FLOATS, nd, type Row, type Table } from './row.js';

const x23 = nd([2, 3], 1);
const x234 = nd([2, 3, 4], 2);
const none = nd([0, 3], 3);
const single = (inputs: Nd[], run: Case['run'], want: Case['want']): Case => ({
  inputs,
  run,
  want,
});
const row = (
  named: RegExp,
  cases: Case[],
  misfits: Row['misfits'] = [],
  rest: Partial<Row> = {},
): Row => ({
  dtypes: ALL,
  gradient: true,
  named,
  cases,
  misfits,
  ...rest,
});
const same = (run: (x: t.Tensor) => t.Tensor, named: RegExp): Row =>
  row(
    named,
    [x23, x234, none, nd([], 4)].map((x) => single([x], run, (y) => y)),
  );

const turn = (x: Nd, a: number, b: number): Nd => {
  const axes = x.shape.map((_, i) => i);
  axes[axisOf(a, axes.length)] = axisOf(b, axes.length);
  axes[axisOf(b, axes.length)] = axisOf(a, axes.length);
  return permute(x, axes);
};

const move = (index: readonly number[], axis: number, by: number): number[] =>
  index.map((i, k) => (k === axis ? i + by : i));

/** `length` elements of an axis from `start`. */
export function narrowed(x: Nd, axis: number, start: number, length: number): Nd {
  const own = axisOf(axis, x.shape.length);
  const shape = x.shape.map((n, k) => (k === own ? length : n));
  return build(shape, (index) => at(x, move(index, own, start)));
}

function joined(arrays: readonly Nd[], axis: number): Nd {
  const first = arrays[0] as Nd;
  const own = axisOf(axis, first.shape.length);
  const lengths = arrays.map((x) => x.shape[own] as number);
  const shape = first.shape.map((n, k) => (k === own ? lengths.reduce((a, b) => a + b) : n));
  return build(shape, (index) => {
    let before = 0;
    for (const [i, length] of lengths.entries()) {
      if ((index[own] as number) < before + length)
        return at(arrays[i] as Nd, move(index, own, -before));
      before += length;
    }
    throw new Error('beyond the last array');
  });
}

const withAxis = (x: Nd, axis: number): Nd => {
  const shape = [...x.shape];
  shape.splice(axisOf(axis, shape.length + 1), 0, 1);
  return { shape, data: x.data };
};

const toTypes = (run: (x: t.Tensor, dtype: t.DType) => t.Tensor, to: t.DType): Row => ({
  dtypes: ALL,
  result: () => to,
  gradient: FLOATS.includes(to) && to === 'float64',
  named: /aten::to/,
  cases: [x23, none].map((x) =>
    single(
      [x],
      (y) => run(y, to),
      (y) => map(y, (value) => roundAs(value, to)),
    ),
  ),
});

const casts: readonly t.DType[] = ['float64', 'float32', 'bfloat16', 'float16', 'int64', 'bool'];

/** Elements of one type as the bytes of another. */
const bits = (
  from: t.DType,
  to: t.DType,
  shape: readonly number[],
  result: readonly number[],
): Case => ({
  inputs: [{ ...map(nd(shape, 5), (x) => roundAs(x, from)), dtype: from }],
  run: (x) => t.bitcast(x, to),
  want: (x) => {
    const { buffer } = encode(x.data, from);
    const kinds = {
      uint8: Uint8Array,
      int32: Int32Array,
      float32: Float32Array,
      int64: BigInt64Array,
    };
    return { shape: result, data: decode(new kinds[to as 'uint8'](buffer), to) };
  },
});

/** The shape's elements, moved on along an axis and round its end. */
const rolled = (x: Nd, shift: number, axis: number): Nd =>
  build(x.shape, (index) => {
    const length = x.shape[axis] as number;
    const from = (i: number): number => (((i - shift) % length) + length) % length;
    return at(
      x,
      index.map((i, each) => (each === axis ? from(i) : i)),
    );
  });

export const shape: Table = {
  clone: same(t.clone, /aten::clone/),
  detach: { ...same(t.detach, /aten::detach/), gradient: false },
  contiguous: same(t.contiguous, /aten::contiguous/),
  widen: {
    ...same(t.widen, /widen|aten::to/),
    result: (dtype) => (dtype === 'float64' ? 'float64' : 'float32'),
  },
  toDevice: {
    ...same((x) => t.toDevice(x, 'cpu'), /toDevice|device|aten::to/),
    misfits: [
      () => t.toDevice(t.zeros([1]), 'banana' as never),
      () => t.toDevice(t.zeros([1]), 'meta' as never),
      () => t.toDevice(t.zeros([1]), 'cpu:1' as never),
    ],
  },
  ...Object.fromEntries(casts.map((to) => [`cast:${to}`, toTypes(t.cast, to)])),
  'bitcast:uint8': {
    dtypes: ['float32'],
    result: () => 'uint8',
    gradient: false,
    named: /aten::view|dtype/,
    layouts: ['plain'],
    cases: [bits('float32', 'uint8', [2, 3], [2, 12]), bits('int64', 'uint8', [2], [16])],
    misfits: [
      () => t.bitcast(t.zeros([3], { dtype: 'uint8' }), 'float32'),
      () => t.bitcast(t.transpose(t.zeros([2, 4]), 0, 1), 'uint8'),
      () => t.bitcast(t.zeros([2]), 'float31' as never),
    ],
  },
  'bitcast:int32': {
    dtypes: ['float32'],
    result: () => 'int32',
    gradient: false,
    named: /aten::view|dtype/,
    layouts: ['plain'],
    cases: [bits('float32', 'int32', [2, 3], [2, 3]), bits('float64', 'int32', [2], [4])],
  },
  reshape: row(
    /aten::reshape/,
    [
      single(
        [x23],
        (x) => t.reshape(x, [3, 2]),
        (x) => ({ ...x, shape: [3, 2] }),
      ),
      single(
        [x234],
        (x) => t.reshape(x, [4, -1]),
        (x) => ({ ...x, shape: [4, 6] }),
      ),
      single(
        [none],
        (x) => t.reshape(x, [3, 0, 2]),
        () => ({ shape: [3, 0, 2], data: [] }),
      ),
      single(
        [nd([1], 6)],
        (x) => t.reshape(x, []),
        (x) => ({ ...x, shape: [] }),
      ),
    ],
    [
      () => t.reshape(t.zeros([6]), [4]),
      () => t.reshape(t.zeros([6]), [-1, -1]),
      () => t.reshape(t.zeros([6]), [-2, 3]),
      () => t.reshape(t.zeros([6]), 6 as never),
    ],
  ),
  permute: row(
    /aten::permute/,
    [
      single(
        [x234],
        (x) => t.permute(x, [2, 0, 1]),
        (x) => permute(x, [2, 0, 1]),
      ),
      single(
        [none],
        (x) => t.permute(x, [-1, 0]),
        (x) => permute(x, [-1, 0]),
      ),
    ],
    [() => t.permute(t.zeros([2, 3]), [0]), () => t.permute(t.zeros([2, 3]), [0, 0])],
  ),
  transpose: row(
    /aten::transpose/,
    [
      single(
        [x234],
        (x) => t.transpose(x, 0, -1),
        (x) => turn(x, 0, -1),
      ),
      single(
        [none],
        (x) => t.transpose(x, 0, 1),
        (x) => turn(x, 0, 1),
      ),
    ],
    [() => t.transpose(t.zeros([2, 3]), 0, 2)],
  ),
  roll: row(
    /aten::roll/,
    [1, -1, 5, 0].flatMap((shift) => [
      single(
        [x234],
        (x) => t.roll(x, shift, -1),
        (x) => rolled(x, shift, 2),
      ),
      single(
        [x23],
        (x) => t.roll(x, shift, 0),
        (x) => rolled(x, shift, 0),
      ),
    ]),
    [() => t.roll(t.zeros([2, 3]), 1, 2)],
  ),
  unsqueeze: row(
    /aten::unsqueeze/,
    [0, 1, -1].map((axis) =>
      single(
        [x23],
        (x) => t.unsqueeze(x, axis),
        (x) => withAxis(x, axis),
      ),
    ),
    [() => t.unsqueeze(t.zeros([2]), 3)],
  ),
  squeeze: row(
    /aten::squeeze/,
    [
      single(
        [nd([2, 1, 3])],
        (x) => t.squeeze(x, 1),
        (x) => ({ ...x, shape: [2, 3] }),
      ),
      single(
        [x23],
        (x) => t.squeeze(x, 0),
        (x) => x,
      ),
    ],
    [() => t.squeeze(t.zeros([2, 1]), 2)],
  ),
  expand: row(
    /aten::expand/,
    [
      single(
        [nd([1, 3])],
        (x) => t.expand(x, [2, 3]),
        (x) => build([2, 3], (i) => at(x, i)),
      ),
      single(
        [nd([3])],
        (x) => t.expand(x, [2, 2, -1]),
        (x) => build([2, 2, 3], (i) => at(x, i)),
      ),
      single(
        [nd([1])],
        (x) => t.expand(x, [0]),
        () => ({ shape: [0], data: [] }),
      ),
    ],
    [() => t.expand(t.zeros([2]), [3]), () => t.expand(t.zeros([2, 1]), [2])],
  ),
  cat: row(
    /aten::cat/,
    [
      single(
        [x23, nd([4, 3], 5)],
        (x, y) => t.cat([x, y], 0),
        (x, y) => joined([x, y], 0),
      ),
      single(
        [x23, nd([2, 1], 5)],
        (x, y) => t.cat([x, y], -1),
        (x, y) => joined([x, y], -1),
      ),
      single(
        [x23, none],
        (x, y) => t.cat([x, y], 0),
        (x) => x,
      ),
    ],
    [
      () => t.cat([t.zeros([2, 3]), t.zeros([2, 4])], 0),
      () => t.cat([], 0),
      () => t.cat([t.zeros([2])], 1),
    ],
  ),
  stack: row(
    /aten::stack/,
    [0, 1, -1].map((axis) =>
      single(
        [x23, nd([2, 3], 5)],
        (x, y) => t.stack([x, y], axis),
        (x, y) => joined([withAxis(x, axis), withAxis(y, axis)], axisOf(axis, 3)),
      ),
    ),
    [() => t.stack([t.zeros([2]), t.zeros([3])], 0), () => t.stack([], 0)],
  ),
  narrow: row(
    /aten::narrow/,
    [
      single(
        [x234],
        (x) => t.narrow(x, 1, 1, 2),
        (x) => narrowed(x, 1, 1, 2),
      ),
      single(
        [x234],
        (x) => t.narrow(x, -1, 4, 0),
        (x) => narrowed(x, -1, 4, 0),
      ),
    ],
    [
      () => t.narrow(t.zeros([3]), 0, 1, 3),
      () => t.narrow(t.zeros([3]), 0, 0, -1),
      () => t.narrow(t.zeros([3]), 1, 0, 1),
    ],
  ),
  select: row(
    /aten::select/,
    [
      single(
        [x234],
        (x) => t.select(x, 1, 2),
        (x) => ({ ...narrowed(x, 1, 2, 1), shape: [2, 4] }),
      ),
      single(
        [x23],
        (x) => t.select(x, -1, -1),
        (x) => ({ ...narrowed(x, 1, 2, 1), shape: [2] }),
      ),
    ],
    [() => t.select(t.zeros([3]), 0, 3), () => t.select(t.zeros([]), 0, 0)],
  ),
  split: row(
    /aten::split_with_sizes/,
    [
      single(
        [x234],
        (x) => t.split(x, [1, 0, 3], 2),
        (x) => [narrowed(x, 2, 0, 1), narrowed(x, 2, 1, 0), narrowed(x, 2, 1, 3)],
      ),
    ],
    [() => t.split(t.zeros([3]), [1, 1], 0), () => t.split(t.zeros([3]), [4, -1], 0)],
    { result: (dtype) => [dtype, dtype, dtype] },
  ),
  repeatInterleave: row(
    /aten::repeat_interleave/,
    (
      [
        [0, 2],
        [1, 3],
        [-1, 0],
      ] as const
    ).map(([axis, times]) =>
      single(
        [x23],
        (x) => t.repeatInterleave(x, times, axis),
        (x) => {
          const own = axisOf(axis, 2);
          const lengths = x.shape.map((n, k) => (k === own ? n * times : n));
          return build(lengths, (index) =>
            at(
              x,
              index.map((i, k) => (k === own ? Math.floor(i / times) : i)),
            ),
          );
        },
      ),
    ),
    [() => t.repeatInterleave(t.zeros([3]), -1, 0), () => t.repeatInterleave(t.zeros([3]), 2, 1)],
  ),
  tril: row(
    /aten::tril/,
    [
      ...[0, 1, -1].map((diagonal) =>
        single(
          [nd([2, 3, 3])],
          (x) => t.tril(x, diagonal),
          (x) =>
            build(x.shape, (index) => {
              const [i, j] = index.slice(-2) as [number, number];
              return j - i > diagonal ? 0 : at(x, index);
            }),
        ),
      ),
      single(
        [nd([0, 2, 2])],
        (x) => t.tril(x),
        (x) => x,
      ),
    ],
    [() => t.tril(t.zeros([3]))],
  ),
};
