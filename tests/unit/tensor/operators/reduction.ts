/** Rows of sums, means and choices along axes. */
import * as t from '../../../../src/tensor/index.js';
import { along, type Nd, reduce, softmax, total } from './reference.js';
import { ALL, type Case, FLOATS, NUMBERS, nd, type Row, type Table } from './row.js';

const mean = (values: readonly number[]): number => total(values) / values.length;
type Reduce = (x: t.Tensor, axes?: readonly number[], keep?: boolean) => t.Tensor;

/** Over all axes, some, with and without keeping them, empty ones included. */
const reductions = (run: Reduce, want: (values: readonly number[]) => number): Case[] => [
  { inputs: [nd([2, 3], 1)], run: (x) => run(x), want: (x) => reduce(x, want) },
  { inputs: [nd([], 2)], run: (x) => run(x), want: (x) => reduce(x, want) },
  { inputs: [nd([2, 3, 4], 3)], run: (x) => run(x, [1]), want: (x) => reduce(x, want, [1]) },
  {
    inputs: [nd([2, 3, 4], 4)],
    run: (x) => run(x, [0, -1], true),
    want: (x) => reduce(x, want, [0, -1], true),
  },
  { inputs: [nd([0, 3], 5)], run: (x) => run(x, [1]), want: (x) => reduce(x, want, [1]) },
];

const emptySum = (run: Reduce): Case => ({
  inputs: [nd([0, 3], 5)],
  run: (x) => run(x, [0]),
  want: (x) => reduce(x, total, [0]),
});

function slices(
  run: (x: t.Tensor, axis: number) => t.Tensor,
  want: (slice: readonly number[]) => readonly number[],
  named: RegExp,
): Row {
  const cases: Case[] = [
    [[2, 3], 1],
    [[2, 3], 0],
    [[2, 3, 4], -1],
    [[3], 0],
    [[0, 3], 1],
  ].map(([shape, axis], i) => ({
    inputs: [nd(shape as number[], i + 1)],
    run: (x) => run(x, axis as number),
    want: (x) => along(x, axis as number, want),
  }));
  const misfits = [(): unknown => run(t.zeros([2, 3]), 2), (): unknown => run(t.zeros([2]), 0.5)];
  return { dtypes: FLOATS, gradient: true, slack: 2, cases, named, misfits };
}

/** Places of the k largest, descending; no two are equal in these cases. */
const largest = (slice: readonly number[], k: number): number[] =>
  slice
    .map((_, i) => i)
    .sort((a, b) => (slice[b] as number) - (slice[a] as number))
    .slice(0, k);
const distinct = (shape: readonly number[]): Nd => {
  const { data } = nd(shape);
  return { shape, data: data.map((_, i) => ((i * 7) % data.length) - 3) };
};
const wholeOr = (dtype: t.DType): t.DType => (FLOATS.includes(dtype) ? dtype : 'int64');

export const reduction: Table = {
  sum: {
    dtypes: ALL,
    result: wholeOr,
    slack: 4,
    gradient: true,
    named: /aten::sum/,
    cases: [...reductions(t.sum, total), emptySum(t.sum)],
    misfits: [() => t.sum(t.zeros([2]), [1]), () => t.sum(t.zeros([2]), [0, 0])],
  },
  mean: {
    dtypes: FLOATS,
    slack: 4,
    gradient: true,
    named: /aten::mean/,
    cases: reductions(t.mean, mean),
    misfits: [() => t.mean(t.zeros([2]), [1]), () => t.mean(t.zeros([2], { dtype: 'int64' }))],
  },
  all: {
    dtypes: ALL,
    gradient: false,
    named: /aten::all/,
    cases: [[1, 1], [1, 0], [0, 0], []].map((data) => ({
      inputs: [{ shape: [data.length], data }],
      run: t.all,
      want: (x: Nd) => x.data.every((value) => value !== 0),
    })),
  },
  argmax: {
    dtypes: NUMBERS,
    result: () => 'int64',
    gradient: false,
    named: /aten::argmax/,
    cases: [0, 1, -1].map((axis) => ({
      inputs: [distinct([3, 4])],
      run: (x) => t.argmax(x, axis),
      want: (x) => reduce(x, (values) => largest(values, 1)[0] as number, [axis]),
    })),
    misfits: [() => t.argmax(t.zeros([2, 3]), 2), () => t.argmax(t.zeros([2, 0]), 1)],
  },
  topk: {
    dtypes: NUMBERS,
    result: (dtype) => [dtype, 'int64'],
    gradient: true,
    named: /aten::topk/,
    cases: (
      [
        [[2, 5], 3, 1],
        [[4, 3], 2, 0],
        [[5], 0, 0],
        [[0, 4], 2, 1],
      ] as const
    ).map(([shape, k, axis]) => ({
      inputs: [distinct(shape)],
      run: (x) => {
        const { values, indices } = t.topk(x, k, axis);
        return [values, indices];
      },
      want: (x) => [
        along(x, axis, (slice) => largest(slice, k).map((i) => slice[i] as number)),
        along(x, axis, (slice) => largest(slice, k)),
      ],
    })),
    misfits: [() => t.topk(t.zeros([3]), 4), () => t.topk(t.zeros([3]), -1)],
  },
  softmax: slices(t.softmax, softmax, /aten::softmax/),
  logSoftmax: slices(t.logSoftmax, (slice) => softmax(slice).map(Math.log), /aten::log_softmax/),
};
