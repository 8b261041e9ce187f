/** The door: schemas are followed, errors say what was asked, and no value crashes the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Argument,
  add,
  crossEntropy,
  EngineError,
  embedding,
  engineThreads,
  full,
  Generator,
  gather,
  hasOperator,
  indexSelect,
  liveTensors,
  matmul,
  operator,
  operatorInPlace,
  operatorMany,
  scope,
  Tensor,
  zeros,
} from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';

engineThreads(1);

const x = Tensor.from([1, 2, 3]);

/** The error of a call, which must be an EngineError. */
function refusal(call: () => unknown): EngineError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof EngineError, String(error));
    return error;
  }
  assert.fail('the call was not refused');
}

test("an operator's error names the operator, shapes and types, and keeps libtorch's text", () => {
  const error = refusal(() => matmul(zeros([2, 3]), zeros([4, 5], { dtype: 'float64' })));
  assert.equal(error.code, 'engine');
  assert.equal(error.operator, 'aten::matmul');
  assert.match(error.message, /^aten::matmul\(\[2, 3\] float32, \[4, 5\] float64\): ./);
  assert.match((error.cause as Error).message, /./);
});

test('an operator libtorch lacks and an argument its schema lacks are engine errors', () => {
  assert.equal(hasOperator('aten::add.Tensor'), true);
  for (const name of ['aten::nonsense', 'aten::add.nonsense', 'add', '', 'aten::add.Tensor.x']) {
    assert.equal(hasOperator(name), false, name);
    assert.match(refusal(() => operator(name, 'self')(x)).message, /has no such operator/);
  }
  const unknown = refusal(() => operator('aten::add.Tensor', 'self otter')(x, x));
  assert.match(unknown.message, /expected arguments otter in libtorch's schema, got aten::add/);
  assert.match(
    refusal(() => operator('aten::neg', 'self')(x, x)).message,
    /expected at most 1 arguments/,
  );
});

test('arguments are matched by name, in any order, and the rest take their defaults', () => {
  const lerp = operator('aten::lerp.Scalar', 'weight end self');
  assert.deepEqual(lerp(0.5, full([2], 4), full([2], 2)).toNumbers(), [3, 3]);
  const sort = operatorMany('aten::sort', 'self descending');
  assert.deepEqual(
    sort(x, true).map((tensor) => tensor.toNumbers()),
    [
      [3, 2, 1],
      [2, 1, 0],
    ],
  );
});

test('an in-place operator changes its argument and leaves no handle', () => {
  const y = zeros([3]);
  const fill = operatorInPlace('aten::fill_.Scalar', 'self value');
  fill(y, 1);
  const before = liveTensors();
  fill(y, 2);
  assert.equal(liveTensors(), before);
  assert.deepEqual(y.toNumbers(), [2, 2, 2]);
});

test('numbers that are not whole are refused where whole ones are wanted, and huge ones too', () => {
  for (const length of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
    assert.match(refusal(() => zeros([length])).message, /size\[0\]: expected an integer, got/);
  assert.match(refusal(() => zeros([-1])).message, /non-negative/);
  assert.match(refusal(() => zeros([2 ** 50])).message, /can't allocate memory/);
  assert.match(refusal(() => zeros([2 ** 50, 2 ** 50])).message, /overflow/);
  const sizes = operator('aten::zeros', 'size dtype device');
  assert.match(refusal(() => sizes([2n ** 70n], 6, 'cpu')).message, /larger BigInt/);
  assert.deepEqual(sizes([2n], 6, 'cpu').shape, [2]);
});

test('values of another type are errors, not crashes', () => {
  const generator = new Generator(1);
  const wrong: [() => unknown, RegExp][] = [
    [() => matmul(generator as never, x), /aten::matmul\(generator, .*expected a tensor/],
    [() => operator('aten::randn.generator', 'size generator')([2], x), /expected a generator/],
    [() => matmul('text' as never, x), /self: expected a tensor/],
    [() => matmul(null as never, x), /self: expected a tensor/],
    [() => matmul(undefined as never, x), /self: expected a tensor/],
    [() => matmul({} as never, x), /self: expected a tensor/],
    [() => matmul([x] as never, x), /self: expected a tensor/],
    [() => matmul(Symbol('s') as never, x), /self: expected a tensor/],
    [() => zeros('abc' as never), /size: expected an array/],
    [() => zeros([[1]] as never), /size\[0\]: expected an integer/],
    [() => operator('aten::cat', 'tensors dim')([x, 3], 0), /tensors\[1\]: expected a tensor/],
    [() => operator('aten::zeros', 'size dtype device')([1], 6, 'banana'), /banana|device/],
    [() => operator('aten::zeros', 'size dtype device')([1], 999, 'cpu'), /./],
    [() => operator('aten::zeros', 'size dtype device')([1], -1, 'cpu'), /./],
  ];
  for (const [call, message] of wrong) assert.match(refusal(call).message, message);
});

test('ids outside a table are errors, not crashes', () => {
  const id = (value: number): Tensor => Tensor.from([value], [1], 'int64');
  for (const value of [3, -1, 2 ** 40]) {
    refusal(() => embedding(zeros([3, 2]), id(value)));
    refusal(() => indexSelect(x, 0, id(value)));
  }
  refusal(() => gather(zeros([1, 3]), 1, Tensor.from([5], [1, 1], 'int64')));
  refusal(() => crossEntropy(zeros([1, 3]), id(5)));
});

/** Makes anything that can stand in a call, right or wrong. */
const anything: fc.Arbitrary<() => Argument> = fc.oneof(
  fc
    .oneof(
      fc.double(),
      fc.integer({ min: -5, max: 5 }),
      fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
      fc.boolean(),
      fc.string(),
      fc.constantFrom(null, undefined, 'cpu', 'meta'),
      fc.array(fc.integer({ min: -2, max: 4 }), { maxLength: 4 }),
      fc.constant([[]]),
    )
    .map((value) => () => value as Argument),
  fc.constant(() => new Generator(1)),
  fc
    .tuple(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
      fc.constantFrom('float32', 'int64', 'bool', 'float64'),
    )
    .map(
      ([shape, dtype]) =>
        () =>
          zeros(shape, { dtype }),
    ),
);

const targets: [string, string][] = [
  ['aten::add.Tensor', 'self other alpha'],
  ['aten::add.Scalar', 'self other alpha'],
  ['aten::linear', 'input weight bias'],
  ['aten::matmul', 'self other'],
  ['aten::reshape', 'self shape'],
  ['aten::narrow', 'self dim start length'],
  ['aten::index_select', 'self dim index'],
  ['aten::gather', 'self dim index'],
  ['aten::cat', 'tensors dim'],
  ['aten::softmax.int', 'self dim dtype'],
  ['aten::topk', 'self k dim'],
  ['aten::layer_norm', 'input normalized_shape weight bias eps'],
  ['aten::conv1d', 'input weight bias stride padding'],
  ['aten::embedding', 'weight indices padding_idx'],
  ['aten::cross_entropy_loss', 'self target weight reduction ignore_index'],
  ['aten::scaled_dot_product_attention', 'query key value attn_mask dropout_p is_causal'],
];

test('six hundred random calls give tensors or engine errors, and leave nothing', async () => {
  const calls = targets
    .filter(([name]) => hasOperator(name))
    .map(([name, names]) => (name === 'aten::topk' ? operatorMany : operator)(name, names));
  const run = (): void =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: calls.length - 1 }),
        fc.array(anything, { minLength: 1, maxLength: 6 }),
        (place, makers) =>
          scope(() => {
            const values = makers.map((make) => make());
            try {
              calls[place]?.(...values);
            } catch (error) {
              assert.ok(error instanceof EngineError, String(error));
            }
          }),
      ),
      { numRuns: 600, seed: 7 },
    );
  await leaksNothing(run);
  assert.deepEqual(add(x, 1).toNumbers(), [2, 3, 4], 'the engine still works');
});

test('a number of threads that is none is refused', () => {
  for (const count of [0, -1, 1.5, Number.NaN, 1025, 2 ** 31 - 1])
    assert.throws(() => engineThreads(count), {
      code: 'engine',
      message: `engineThreads(count): expected a whole number from 1 to 1024, got ${count}`,
    });
  assert.equal(engineThreads(), 1);
});
