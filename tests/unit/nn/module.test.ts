/** Modules: names, moving, freezing, loading. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snakeCase } from '../../../src/files/index.js';
import {
  Dropout,
  Embedding,
  kaimingUniform,
  LayerNorm,
  Linear,
  Module,
  parameter,
  RmsNorm,
  zeroBias,
} from '../../../src/nn/index.js';
import {
  engineThreads,
  full,
  Generator,
  RowStreams,
  Tensor,
  zeros,
} from '../../../src/tensor/index.js';
import { close, noise } from '../../support/numeric.js';

engineThreads(1);

class Leaf extends Module {
  weight: Tensor = parameter(zeros([2, 3]));
  runningMean: Tensor = zeros([3]);
  readonly #derived = zeros([5]);
  get derived(): Tensor {
    return this.#derived;
  }
}

class Tree extends Module {
  selfAttn = new Leaf();
  layers = [new Leaf(), new Leaf()];
  scales: Tensor[] = [parameter(zeros([1]))];
  ids: Tensor = zeros([4], { dtype: 'int64' });
  readonly count = 3;
}

const keys = [
  'self_attn.weight',
  'self_attn.running_mean',
  'layers.0.weight',
  'layers.0.running_mean',
  'layers.1.weight',
  'layers.1.running_mean',
  'scales.0',
  'ids',
];

test('names are paths of public fields in snake_case; private fields are not among them', () => {
  const tree = new Tree();
  assert.deepEqual(
    [...tree.namedTensors()].map(([key]) => key),
    keys,
  );
  assert.deepEqual([...tree.namedTensors('a.')].map(([key]) => key)[0], 'a.self_attn.weight');
  assert.deepEqual(
    [...tree.namedModules()].map(([path]) => path),
    ['', 'self_attn', 'layers.0', 'layers.1'],
  );
  assert.equal(snakeCase('postAttentionLayernorm'), 'post_attention_layernorm');
  assert.equal(snakeCase('conv1'), 'conv1');
});

test('parameters are the tensors that collect gradients, and freezing stops them all', () => {
  const tree = new Tree();
  assert.equal(tree.trainableParameters, 3 * 6 + 1);
  assert.equal([...tree.namedParameters()].length, 4);
  assert.equal(tree.freeze(), tree);
  assert.equal(tree.trainableParameters, 0);
});

test('moving to a type changes floating tensors, frees the old ones and keeps what is trained', () => {
  const tree = new Tree();
  const old = tree.selfAttn.weight;
  tree.to('cpu', 'float64');
  assert.deepEqual(
    [...tree.namedTensors()].map(([, { dtype }]) => dtype),
    [...new Array(7).fill('float64'), 'int64'],
  );
  assert.equal(old.isDisposed, true);
  assert.equal([...tree.namedParameters()].length, 4);
  const same = tree.selfAttn.weight;
  assert.equal(tree.to('cpu').selfAttn.weight, same);
});

const saved = (): Map<string, Tensor> =>
  new Map(
    [...new Tree().namedTensors()].map(([key, { shape, dtype }]) => [
      key,
      full(shape, 2, { dtype }),
    ]),
  );

test('loading copies every tensor', () => {
  const tree = new Tree();
  tree.load(saved(), 'file');
  for (const [, tensor] of tree.namedTensors())
    assert.ok(tensor.toNumbers().every((value) => value === 2));
});

test('loading lists every missing, unknown and misshapen key at once and changes nothing', () => {
  const tree = new Tree();
  const wrong = saved();
  wrong.delete('scales.0');
  wrong.set('extra', zeros([1]));
  wrong.set('layers.1.weight', zeros([3, 2]));
  assert.throws(
    () => tree.load(wrong, 'adapter.safetensors'),
    (error: Error) => {
      assert.deepEqual(error.message.split('\n').sort(), [
        '  extra: expected no such tensor',
        '  layers.1.weight: expected shape [2, 3], got [3, 2]',
        '  scales.0: expected a tensor [1], got nothing',
        'adapter.safetensors: 3 problems',
      ]);
      return true;
    },
  );
  for (const [, tensor] of tree.namedTensors())
    assert.ok(tensor.toNumbers().every((value) => value === 0));
});

test('loading some keys leaves the others alone', () => {
  const tree = new Tree();
  const some = new Map([...saved()].filter(([key]) => key.startsWith('layers.')));
  tree.load(some, 'file', (key) => key.startsWith('layers.'));
  assert.deepEqual(tree.layers[0]?.runningMean.toNumbers(), [2, 2, 2]);
  assert.deepEqual(tree.selfAttn.runningMean.toNumbers(), [0, 0, 0]);
});

test('linear, norms and embedding by hand', () => {
  const weight = Tensor.from([1, 2, 3, 4, 5, 6], [2, 3]);
  const x = Tensor.from([1, 0, -1], [1, 3]);
  close(new Linear(weight, Tensor.from([10, 20])).forward(x), [8, 18], 1e-6);
  close(new Linear(weight).forward(x), [-2, -2], 1e-6);
  const root = Math.sqrt(2 / 3);
  close(new LayerNorm(3, 0).forward(x), [1 / root, 0, -1 / root], 1e-6);
  close(new RmsNorm(Tensor.from([1, 1, 2]), 0).forward(x), [1 / root, 0, -2 / root], 1e-6);
  const ids = Tensor.from([1, 0, 1], [3], 'int64');
  assert.deepEqual(new Embedding(weight).forward(ids).toNumbers(), [4, 5, 6, 1, 2, 3, 4, 5, 6]);
});

test('the padding row of an embedding gets no gradient', () => {
  const table = new Embedding(parameter(noise([3, 2], 1)), 2);
  const ids = Tensor.from([0, 2, 0], [3], 'int64');
  table.forward(ids).backward(full([3, 2], 1, { dtype: 'float64' }));
  assert.deepEqual(table.weight.grad?.toNumbers(), [2, 2, 0, 0, 0, 0]);
});

test('dropout is on exactly when a pass brings streams', () => {
  const layer = new Dropout(0.5);
  const x = full([1, 64], 1);
  const dropout = new RowStreams(BigInt64Array.of(1n));
  assert.equal(layer.forward(x), x);
  assert.equal(layer.forward(x, {}), x);
  assert.ok(layer.forward(x, { dropout }).toNumbers().includes(0));
  assert.equal(new Dropout(0).forward(x, { dropout }), x);
});

test('starting values keep their bounds and repeat with the seed', () => {
  const draw = (): number[] => kaimingUniform([8, 16], new Generator(3)).toNumbers();
  assert.deepEqual(draw(), draw());
  assert.ok(draw().every((value) => Math.abs(value) <= 0.25));
  assert.ok(draw().some((value) => Math.abs(value) > 0.2));
  const layer = Linear.create(16, 4, { generator: new Generator(3) });
  assert.deepEqual([layer.inFeatures, layer.outFeatures], [16, 4]);
  assert.equal(layer.trainableParameters, 4 * 16 + 4);
  assert.equal(Linear.create(16, 4, { generator: new Generator(3), bias: false }).bias, undefined);
  assert.deepEqual(zeroBias(2).toNumbers(), [0, 0]);
});

test('a wrong width is named', () => {
  const layer = new Linear(zeros([2, 3]));
  assert.throws(() => layer.forward(zeros([5, 4])), {
    message: 'Linear.forward(x): expected shape [..., I=3], got [5, 4]',
  });
  assert.throws(() => new Linear(zeros([3])), {
    message: 'Linear(weight): expected shape [O, I], got [3]',
  });
});
