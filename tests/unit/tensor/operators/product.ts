/** Rows of products, norms, attention and losses, and of choosing by index. */
import * as t from '../../../../src/tensor/index.js';
import {
  along,
  at,
  axisOf,
  build,
  map,
  matmul,
  type Nd,
  permute,
  softmax,
  total,
  zip,
} from './reference.js';
import { ALL, type Case, FLOATS, ids, NUMBERS, nd, type Row, type Table } from './row.js';

const turned = (x: Nd): Nd => {
  const axes = x.shape.map((_, i) => i);
  return permute(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
};
const add = (x: Nd, y: Nd): Nd => zip(x, y, (a, b) => a + b);

function conv(x: Nd, weight: Nd, bias: Nd | undefined, stride: number, padding: number): Nd {
  const [B, I, L] = x.shape as [number, number, number];
  const [O, , K] = weight.shape as [number, number, number];
  const lengthOut = Math.floor((L + 2 * padding - K) / stride) + 1;
  return build([B, O, lengthOut], ([b, o, l]) => {
    let sum = bias === undefined ? 0 : (bias.data[o as number] as number);
    for (let i = 0; i < I; i++)
      for (let k = 0; k < K; k++) {
        const place = (l as number) * stride + k - padding;
        if (place < 0 || place >= L) continue;
        sum += at(x, [b as number, i, place]) * at(weight, [o as number, i, k]);
      }
    return sum;
  });
}

/** The largest of each `length` neighbours along the last axis. */
const maxPool = (x: Nd, length: number): Nd =>
  along(x, -1, (slice) =>
    slice.slice(length - 1).map((_, l) => Math.max(...slice.slice(l, l + length))),
  );

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * r = σ(W_r x + b_r + U_r h + c_r), z likewise, n = tanh(W_n x + b_n + r (U_n h + c_n)), h' = (1 - z) n + z h.
 */
function gru(x: Nd, start: Nd, [w, u, b, c]: readonly [Nd, Nd, Nd, Nd]): Nd {
  const [B, L, I] = x.shape as [number, number, number];
  const H = start.shape[1] as number;
  const row = (matrix: Nd, g: number, vector: readonly number[]): number =>
    total(vector.map((value, i) => value * at(matrix, [g, i])));
  const states: number[] = [];
  for (let i = 0; i < B; i++) {
    let h = Array.from({ length: H }, (_, k) => at(start, [i, k]));
    for (let l = 0; l < L; l++) {
      const input = Array.from({ length: I }, (_, k) => at(x, [i, l, k]));
      const fromInput = (g: number): number => row(w, g, input) + at(b, [g]);
      const before = h;
      const fromState = (g: number): number => row(u, g, before) + at(c, [g]);
      h = before.map((old, k) => {
        const reset = sigmoid(fromInput(k) + fromState(k));
        const update = sigmoid(fromInput(H + k) + fromState(H + k));
        const fresh = Math.tanh(fromInput(2 * H + k) + reset * fromState(2 * H + k));
        return (1 - update) * fresh + update * old;
      });
      states.push(...h);
    }
  }
  return { shape: [B, L, H], data: states };
}

const runGru = (x: t.Tensor, start: t.Tensor, ...weights: t.Tensor[]): t.Tensor => {
  const [input_GI, state_GH, inputBias_G, stateBias_G] = weights as Four<t.Tensor>;
  return t.gru(x, start, { input_GI, state_GH, inputBias_G, stateBias_G });
};
type Four<T> = [T, T, T, T];

const layerNorm = (x: Nd, weight: Nd, bias: Nd): Nd =>
  along(x, -1, (slice) => {
    const mean = total(slice) / slice.length;
    const variance = total(slice.map((v) => (v - mean) ** 2)) / slice.length;
    return slice.map(
      (v, i) =>
        ((v - mean) / Math.sqrt(variance + 1e-5)) * (weight.data[i] as number) +
        (bias.data[i] as number),
    );
  });

const rmsNorm = (x: Nd, weight: Nd): Nd =>
  along(x, -1, (slice) => {
    const scale = 1 / Math.sqrt(total(slice.map((v) => v * v)) / slice.length + 1e-5);
    return slice.map((v, i) => v * scale * (weight.data[i] as number));
  });

/** Query head h reads key head ⌊h · G / H⌋. */
function shareHeads(x: Nd, H: number): Nd {
  const [B, G, S, K] = x.shape as [number, number, number, number];
  return build([B, H, S, K], ([b, h, s, k]) =>
    at(x, [b as number, Math.floor(((h as number) * G) / H), s as number, k as number]),
  );
}

function attend(
  query: Nd,
  key: Nd,
  value: Nd,
  { isCausal = false, mask }: { isCausal?: boolean; mask?: Nd } = {},
): Nd {
  const scale = 1 / Math.sqrt(query.shape.at(-1) as number);
  const H = query.shape[1] as number;
  const [keys, values] = [shareHeads(key, H), shareHeads(value, H)];
  let scores = map(matmul(query, turned(keys)), (x) => x * scale);
  if (mask !== undefined) scores = add(scores, mask);
  if (isCausal) {
    scores = build(scores.shape, (index) => {
      const [i, j] = index.slice(-2) as [number, number];
      return j > i ? Number.NEGATIVE_INFINITY : at(scores, index);
    });
  }
  return matmul(along(scores, -1, softmax), values);
}

const heads = [nd([2, 2, 4, 3], 1), nd([2, 2, 5, 3], 2), nd([2, 2, 5, 3], 3)];
const grouped = [nd([2, 4, 4, 3], 1), nd([2, 2, 4, 3], 2), nd([2, 2, 4, 3], 3)];
const square = [nd([1, 2, 4, 3], 1), nd([1, 2, 4, 3], 2), nd([1, 2, 4, 3], 3)];
const never = Number.NEGATIVE_INFINITY;
const forbids = (shape: readonly number[]): Nd => ({
  shape,
  data: nd(shape).data.map((_, i) => (i % 3 === 1 ? never : (i % 4) / 2)),
});

function attention(run: typeof t.attention): Row {
  const cases: Case[] = [
    { inputs: heads, run: (q, k, v) => run(q, k, v), want: (q, k, v) => attend(q, k, v) },
    {
      inputs: square,
      run: (q, k, v) => run(q, k, v, { isCausal: true }),
      want: (q, k, v) => attend(q, k, v, { isCausal: true }),
    },
    {
      inputs: grouped,
      run: (q, k, v) => run(q, k, v, { isCausal: true }),
      want: (q, k, v) => attend(q, k, v, { isCausal: true }),
    },
  ];
  const masked: Case = {
    inputs: heads,
    run: (q, k, v) =>
      run(q, k, v, {
        mask: t.cast(t.Tensor.from(Float64Array.from(forbids([4, 5]).data), [4, 5]), q.dtype),
      }),
    want: (q, k, v) => attend(q, k, v, { mask: forbids([4, 5]) }),
  };
  const perRow = forbids([2, 1, 4, 4]);
  const maskedRows: Case = {
    inputs: grouped,
    run: (q, k, v) =>
      run(q, k, v, {
        mask: t.cast(t.Tensor.from(Float64Array.from(perRow.data), perRow.shape), q.dtype),
      }),
    want: (q, k, v) =>
      attend(q, k, v, {
        mask: build([2, 4, 4, 4], ([b, , i, j]) => at(perRow, [b, 0, i, j] as number[])),
      }),
  };
  return {
    dtypes: FLOATS,
    slack: 6,
    gradient: true,
    named: /attention|aten::matmul|aten::mul|aten::transpose/,
    cases: [...cases, masked, maskedRows],
    misfits: [
      () => run(t.zeros([1, 1, 2, 3]), t.zeros([1, 1, 2, 4]), t.zeros([1, 1, 2, 4])),
      () => run(t.zeros([1, 1, 2, 3]), t.zeros([1, 1, 2, 3]), t.zeros([1, 1, 4, 3])),
      () => run(t.zeros([1, 1, 2, 3]), t.zeros([1, 1, 9, 3]), t.zeros([1, 1, 1, 3])),
      () => run(t.zeros([1, 3, 2, 3]), t.zeros([1, 2, 2, 3]), t.zeros([1, 2, 2, 3])),
      () => run(t.zeros([2, 3]), t.zeros([2, 3]), t.zeros([2, 3])),
    ],
  };
}

const rms = (run: typeof t.rmsNorm): Row => ({
  dtypes: FLOATS,
  slack: 8,
  gradient: true,
  named: /rmsNorm|aten::rms_norm|aten::mul/,
  cases: [nd([4, 5], 1), nd([2, 3, 5], 2), nd([0, 5], 3)].map((x) => ({
    inputs: [x, nd([5], 4)],
    run: (y, w) => run(y, w, 1e-5),
    want: rmsNorm,
  })),
  misfits: [() => run(t.zeros([2, 3]), t.zeros([4]), 1e-5)],
});

const inputs = [nd([2, 3], 1), nd([2, 4, 3], 2), nd([0, 3], 3)];
const products: Row = {
  dtypes: NUMBERS,
  slack: 4,
  gradient: true,
  named: /aten::matmul/,
  cases: (
    [
      [
        [2, 3],
        [3, 4],
      ],
      [[3], [3]],
      [[2, 3], [3]],
      [[3], [3, 2]],
      [
        [2, 2, 3],
        [3, 4],
      ],
      [
        [2, 1, 2, 3],
        [3, 3, 2],
      ],
      [
        [0, 3],
        [3, 2],
      ],
      [
        [2, 0],
        [0, 3],
      ],
    ] as const
  ).map(([a, b], i) => ({ inputs: [nd(a, i + 1), nd(b, i + 11)], run: t.matmul, want: matmul })),
  misfits: [
    () => t.matmul(t.zeros([2, 3]), t.zeros([4, 3])),
    () => t.matmul(t.zeros([2, 3]), t.zeros([3, 2], { dtype: 'float64' })),
  ],
};

/** Slices of an axis by place. */
const picked = (x: Nd, axis: number, places: Nd): Nd => {
  const own = axisOf(axis, x.shape.length);
  const shape = x.shape.map((n, k) => (k === own ? places.data.length : n));
  return build(shape, (index) =>
    at(
      x,
      index.map((i, k) => (k === own ? (places.data[i] as number) : i)),
    ),
  );
};

const targets = ids([3], [1, 0, 3]);
const crossEntropy = (logits: Nd, wanted: Nd, ignored?: number): number[] =>
  wanted.data.map((target, i) => {
    if (target === ignored) return 0;
    const row = Array.from({ length: logits.shape[1] as number }, (_, v) => at(logits, [i, v]));
    return -Math.log(softmax(row)[target] as number);
  });
const REDUCED = {
  none: (losses: number[]): Nd => ({ shape: [losses.length], data: losses }),
  sum: (losses: number[]): Nd => ({ shape: [], data: [total(losses)] }),
  mean: (losses: number[]): Nd => ({ shape: [], data: [total(losses) / losses.length] }),
};

/** x xᵀ + 1: symmetric and positive definite. */
const definite = (x: t.Tensor): t.Tensor => {
  const square = t.matmul(x, t.transpose(x, -1, -2));
  const D = square.axis(-1);
  const one = t.Tensor.from(Float64Array.from({ length: D * D }, (_, i) => +(i % (D + 1) === 0)));
  return t.add(square, t.cast(t.reshape(one, [D, D]), square.dtype));
};
const definiteNd = (x: Nd): Nd =>
  onPlaces(matmul(x, turned(x)), (v, [i, j]) => v + (i === j ? 1 : 0));
/** Of each element and its places on the last two axes. */
const onPlaces = (x: Nd, of: (value: number, places: [number, number]) => number): Nd =>
  build(x.shape, (index) => of(at(x, index), index.slice(-2) as [number, number]));

/** The Cholesky-Banachiewicz rows, matrix by matrix. */
function lower(x: Nd): Nd {
  const D = x.shape.at(-1) as number;
  const data = new Array<number>(x.data.length).fill(0);
  for (let start = 0; start < x.data.length; start += D * D) {
    const place = (i: number, j: number): number => start + i * D + j;
    for (let i = 0; i < D; i++)
      for (let j = 0; j <= i; j++) {
        let rest = x.data[place(i, j)] as number;
        for (let k = 0; k < j; k++)
          rest -= (data[place(i, k)] as number) * (data[place(j, k)] as number);
        data[place(i, j)] = i === j ? Math.sqrt(rest) : rest / (data[place(j, j)] as number);
      }
  }
  return { shape: x.shape, data };
}

/** x⁻¹ y by Gauss-Jordan elimination, for one matrix and its right sides. */
function eliminate(x: Nd, y: Nd): Nd {
  const [D, R] = y.shape as [number, number];
  const rows = Array.from({ length: D }, (_, i) => [
    ...x.data.slice(i * D, (i + 1) * D),
    ...y.data.slice(i * R, (i + 1) * R),
  ]);
  for (const [i, own] of rows.entries()) {
    const pivot = own[i] as number;
    for (const [k, value] of own.entries()) own[k] = value / pivot;
    for (const [j, other] of rows.entries()) {
      const factor = other[i] as number;
      if (j !== i) for (const [k, value] of own.entries()) other[k]! -= factor * value;
    }
  }
  return { shape: [D, R], data: rows.flatMap((row) => row.slice(D)) };
}
const identity = (D: number): Nd => build([D, D], ([i, j]) => (i === j ? 1 : 0));

export const product: Table = {
  cholesky: {
    dtypes: ['float64', 'float32'],
    slack: 16,
    gradient: true,
    named: /aten::(linalg_cholesky|transpose|matmul)/,
    cases: [nd([3, 3], 1), nd([2, 4, 4], 2), nd([1, 1], 3)].map((x) => ({
      inputs: [x],
      run: (y) => t.cholesky(definite(y)),
      want: (y) => lower(definiteNd(y)),
    })),
    misfits: [
      () => t.cholesky(t.zeros([2, 3])),
      () => t.cholesky(t.zeros([2, 2])),
      () => t.cholesky(t.Tensor.from([1, 2, 2, 1], [2, 2])),
    ],
  },
  choleskySolve: {
    dtypes: ['float64', 'float32'],
    slack: 64,
    gradient: true,
    named: /aten::(cholesky_solve|linalg_cholesky|transpose|matmul)/,
    cases: [nd([3, 1], 5), nd([3, 4], 6)].map((y) => ({
      inputs: [y, nd([3, 3], 1)],
      run: (right, x) => t.choleskySolve(right, t.cholesky(definite(x))),
      want: (right, x) => eliminate(definiteNd(x), right),
    })),
    misfits: [
      () => t.choleskySolve(t.zeros([3, 1]), t.zeros([2, 2])),
      () => t.choleskySolve(t.zeros([2]), t.zeros([2, 2])),
    ],
  },
  choleskyInverse: {
    dtypes: ['float64', 'float32'],
    slack: 64,
    gradient: true,
    named: /aten::(cholesky_inverse|linalg_cholesky|transpose|matmul)/,
    cases: [nd([4, 4], 1), nd([1, 1], 3)].map((x) => ({
      inputs: [x],
      run: (y) => t.choleskyInverse(t.cholesky(definite(y))),
      want: (y) => eliminate(definiteNd(y), identity(y.shape[0] as number)),
    })),
    misfits: [() => t.choleskyInverse(t.zeros([2, 3])), () => t.choleskyInverse(t.zeros([3]))],
  },
  matmul: products,
  linear: {
    dtypes: FLOATS,
    slack: 4,
    gradient: true,
    named: /aten::linear/,
    loose: [2],
    cases: inputs.flatMap((x) => [
      {
        inputs: [x, nd([5, 3], 4), nd([5], 5)],
        run: t.linear,
        want: (y: Nd, w: Nd, b: Nd) => add(matmul(y, turned(w)), b),
      },
      {
        inputs: [x, nd([5, 3], 4)],
        run: (y: t.Tensor, w: t.Tensor) => t.linear(y, w),
        want: (y: Nd, w: Nd) => matmul(y, turned(w)),
      },
    ]),
    misfits: [
      () => t.linear(t.zeros([2, 3]), t.zeros([5, 4])),
      () => t.linear(t.zeros([2, 3]), t.zeros([5, 3]), t.zeros([4])),
    ],
  },
  conv1d: {
    dtypes: FLOATS,
    slack: 8,
    gradient: true,
    named: /aten::conv1d/,
    loose: [2],
    cases: (
      [
        [1, 0],
        [1, 1],
        [2, 1],
        [3, 2],
      ] as const
    ).map(([stride, padding]) => ({
      inputs: [nd([2, 3, 7], 1), nd([4, 3, 3], 2), nd([4], 3)],
      run: (x, w, bias) => t.conv1d(x, w, { stride, padding, bias }),
      want: (x, w, bias) => conv(x, w, bias, stride, padding),
    })),
    misfits: [
      () => t.conv1d(t.zeros([1, 2, 5]), t.zeros([4, 3, 3])),
      () => t.conv1d(t.zeros([1, 3, 2]), t.zeros([4, 3, 3])),
      () => t.conv1d(t.zeros([1, 3, 5]), t.zeros([4, 3, 3]), { stride: 0 }),
      () => t.conv1d(t.zeros([1, 3, 5]), t.zeros([4, 3, 3]), { padding: -1 }),
    ],
  },
  maxPool1d: {
    dtypes: FLOATS,
    gradient: true,
    named: /aten::max_pool1d/,
    cases: [1, 2, 5].map((length) => ({
      inputs: [nd([2, 3, 5], 1)],
      run: (x) => t.maxPool1d(x, length),
      want: (x) => maxPool(x, length),
    })),
    misfits: [
      () => t.maxPool1d(t.zeros([1, 2, 3]), 4),
      () => t.maxPool1d(t.zeros([1, 2, 3]), 0),
      () => t.maxPool1d(t.zeros([3]), 1),
    ],
  },
  gru: {
    dtypes: FLOATS,
    slack: 8,
    gradient: true,
    named: /aten::(gru|unsqueeze)/,
    cases: [
      [2, 4],
      [1, 1],
    ].map(([B, L]) => ({
      inputs: [
        nd([B as number, L as number, 3], 1),
        nd([B as number, 2], 2),
        nd([6, 3], 3),
        nd([6, 2], 4),
        nd([6], 5),
        nd([6], 6),
      ],
      run: runGru,
      want: (x, start, ...weights) => gru(x, start, weights as Four<Nd>),
    })),
    misfits: [
      [[2, 3], [2, 2], [6, 3], [6, 2], [6], [6]],
      [[2, 4, 5], [2, 2], [6, 3], [6, 2], [6], [6]],
      [[2, 4, 3], [1, 2], [6, 3], [6, 2], [6], [6]],
      [[2, 4, 3], [2, 2], [5, 3], [6, 2], [6], [6]],
      [[2, 4, 3], [2, 2], [6, 3], [6, 3], [6], [6]],
      [[2, 4, 3], [2, 2], [6, 3], [6, 2], [6], [4]],
      [[2, 0, 3], [2, 2], [6, 3], [6, 2], [6], [6]],
    ].map((shapes) => () => {
      const [x, start, ...weights] = shapes.map((shape) => t.zeros(shape)) as Four<t.Tensor>;
      return runGru(x, start, ...weights);
    }),
  },
  layerNorm: {
    dtypes: FLOATS,
    slack: 8,
    gradient: true,
    named: /layerNorm|aten::layer_norm/,
    loose: [2],
    cases: [nd([4, 5], 1), nd([2, 3, 5], 2), nd([0, 5], 3)].map((x) => ({
      inputs: [x, nd([5], 4), nd([5], 5)],
      run: (y, w, b) => t.layerNorm(y, w, b, 1e-5),
      want: layerNorm,
    })),
    misfits: [
      () => t.layerNorm(t.zeros([2, 3]), t.zeros([4]), t.zeros([4]), 1e-5),
      () => t.layerNorm(t.zeros([2, 3]), t.zeros([3]), t.zeros([4]), 1e-5),
    ],
  },
  rmsNorm: rms(t.rmsNorm),
  rmsNormComposed: rms(t.rmsNormComposed),
  attention: attention(t.attention),
  attentionFused: attention(t.attentionFused),
  attentionByProducts: attention(t.attentionByProducts),
  causalMask: {
    dtypes: FLOATS,
    gradient: false,
    named: /aten::(full|tril|masked_fill)|dtype/,
    cases: [
      [3, 3],
      [2, 4],
      [1, 1],
      [0, 2],
    ].map(([T, S]) => ({
      inputs: [nd([1])],
      run: (x) => t.causalMask(T as number, S as number, { dtype: x.dtype, device: x.device }),
      want: () =>
        build([T as number, S as number], ([i, j]) => ((j as number) > (i as number) ? never : 0)),
    })),
    loose: [0],
  },
  crossEntropy: {
    dtypes: FLOATS,
    slack: 8,
    gradient: true,
    named: /crossEntropy|aten::cross_entropy_loss/,
    cases: [
      ...(['none', 'mean', 'sum'] as const).map((reduction) => ({
        inputs: [nd([3, 4], 1), targets],
        run: (x: t.Tensor, y: t.Tensor) => t.crossEntropy(x, y, { reduction }),
        want: (x: Nd, y: Nd) => REDUCED[reduction](crossEntropy(x, y)),
      })),
      {
        inputs: [nd([3, 4], 1), targets],
        run: (x, y) => t.crossEntropy(x, y, { reduction: 'sum', ignoreId: 0 }),
        want: (x, y) => REDUCED.sum(crossEntropy(x, y, 0)),
      },
      {
        inputs: [nd([0, 4], 1), ids([0], [])],
        run: (x, y) => t.crossEntropy(x, y, { reduction: 'sum' }),
        want: () => ({ shape: [], data: [0] }),
      },
    ],
    misfits: [
      () => t.crossEntropy(t.zeros([3, 4]), t.zeros([2], { dtype: 'int64' })),
      () => t.crossEntropy(t.zeros([1, 4]), t.full([1], 4, { dtype: 'int64' })),
      () =>
        t.crossEntropy(t.zeros([1, 4]), t.zeros([1], { dtype: 'int64' }), {
          reduction: 'most' as never,
        }),
    ],
  },
  binaryCrossEntropy: {
    dtypes: FLOATS,
    slack: 4,
    gradient: true,
    named: /aten::binary_cross_entropy_with_logits/,
    cases: [[2, 3], [0, 3], []].map((shape) => ({
      inputs: [nd(shape, 1), map(nd(shape, 2), (x) => (x > 0 ? 0.75 : 0.25))],
      run: t.binaryCrossEntropy,
      want: (x: Nd, y: Nd) =>
        zip(x, y, (a, p) => p * Math.log1p(Math.exp(-a)) + (1 - p) * Math.log1p(Math.exp(a))),
    })),
    misfits: [() => t.binaryCrossEntropy(t.zeros([2, 3]), t.zeros([2]))],
  },
  indexSelect: {
    dtypes: ALL,
    gradient: true,
    named: /aten::index_select/,
    cases: (
      [
        [0, [1, 0, 1]],
        [-1, [2]],
        [1, []],
      ] as const
    ).map(([axis, places]) => ({
      inputs: [nd([2, 3], 1), ids([places.length], places)],
      run: (x, i) => t.indexSelect(x, axis, i),
      want: (x, i) => picked(x, axis, i),
    })),
    misfits: [
      () => t.indexSelect(t.zeros([3]), 0, t.full([1], 3, { dtype: 'int64' })),
      () => t.indexSelect(t.zeros([3]), 0, t.zeros([1])),
      () => t.indexSelect(t.zeros([3]), 0, t.zeros([1, 1], { dtype: 'int64' })),
    ],
  },
  gather: {
    dtypes: ALL,
    gradient: true,
    named: /aten::gather/,
    cases: [
      {
        inputs: [nd([2, 3], 1), ids([2, 2], [2, 0, 1, 1])],
        run: (x, i) => t.gather(x, 1, i),
        want: (x, i) =>
          build(i.shape, ([r, c]) => at(x, [r as number, at(i, [r as number, c as number])])),
      },
      {
        inputs: [nd([2, 3], 1), ids([1, 3], [1, 0, 1])],
        run: (x, i) => t.gather(x, 0, i),
        want: (x, i) =>
          build(i.shape, ([r, c]) => at(x, [at(i, [r as number, c as number]), c as number])),
      },
    ],
    misfits: [
      () => t.gather(t.zeros([2, 3]), 1, t.full([1, 1], 3, { dtype: 'int64' })),
      () => t.gather(t.zeros([2, 3]), 1, t.zeros([1], { dtype: 'int64' })),
    ],
  },
  indexCopy: {
    dtypes: ALL,
    gradient: true,
    named: /aten::index_copy/,
    cases: [
      {
        inputs: [nd([4, 2], 1), ids([2], [3, 0]), nd([2, 2], 2)],
        run: (x, i, source) => t.indexCopy(x, 0, i, source),
        want: (x, i, source) =>
          build(x.shape, ([r, c]) => {
            const place = i.data.indexOf(r as number);
            return place === -1
              ? at(x, [r as number, c as number])
              : at(source, [place, c as number]);
          }),
      },
    ],
    misfits: [
      () => t.indexCopy(t.zeros([3]), 0, t.full([1], 3, { dtype: 'int64' }), t.zeros([1])),
      () => t.indexCopy(t.zeros([3]), 0, t.zeros([1], { dtype: 'int64' }), t.zeros([2])),
    ],
  },
  embedding: {
    dtypes: FLOATS,
    gradient: true,
    named: /aten::embedding/,
    cases: [ids([4], [1, 0, 2, 1]), ids([2, 2], [2, 2, 0, 1]), ids([0], [])].map((places) => ({
      inputs: [nd([3, 2], 1), places],
      run: (w, i) => t.embedding(w, i),
      want: (w, i) =>
        build([...i.shape, 2], (index) =>
          at(w, [at(i, index.slice(0, -1)), index.at(-1) as number]),
        ),
    })),
    misfits: [
      () => t.embedding(t.zeros([3, 2]), t.full([1], 3, { dtype: 'int64' })),
      () => t.embedding(t.zeros([3, 2]), t.full([1], -1, { dtype: 'int64' })),
      () => t.embedding(t.zeros([3, 2]), t.zeros([1])),
    ],
  },
};
