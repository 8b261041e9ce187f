/** The handle: elements in and out, types, gradients, misuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  add,
  cast,
  contiguous,
  type DType,
  engineThreads,
  mul,
  square,
  sum,
  Tensor,
  transpose,
  widen,
  zeros,
} from '../../../src/tensor/index.js';

engineThreads(1);

test('elements of every type come back as they went in', () => {
  const cases = [
    [Float32Array.of(0, -1.5, 3.4e38, Number.NaN, Number.NEGATIVE_INFINITY), 'float32'],
    [Float64Array.of(0, -1.5, 1e300, Number.MIN_VALUE), 'float64'],
    [BigInt64Array.of(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)), 'int64'],
    [Int32Array.of(0, -1, 2 ** 31 - 1, -(2 ** 31)), 'int32'],
    [Uint8Array.of(0, 1, 255), 'uint8'],
  ] as const;
  for (const [data, dtype] of cases) {
    const tensor = Tensor.from(data);
    assert.equal(tensor.dtype, dtype);
    assert.deepEqual(tensor.toTypedArray(), data);
  }
  const flags = Tensor.from(Uint8Array.of(0, 1, 1), [3], 'bool');
  assert.equal(flags.dtype, 'bool');
  assert.deepEqual(flags.toTypedArray(), Uint8Array.of(0, 1, 1));
  for (const dtype of ['bfloat16', 'float16'] as const) {
    const words = Uint16Array.of(0x3f80, 0x3c00, 0xbf00);
    const tensor = Tensor.from(words, [3], dtype);
    assert.equal(tensor.dtype, dtype);
    assert.deepEqual(tensor.toTypedArray(), words);
  }
});

test('any float32 numbers round trip through shapes, casts to float64 and back', () => {
  fc.assert(
    fc.property(fc.float32Array({ maxLength: 20 }), (data) => {
      const wide = cast(Tensor.from(data), 'float64');
      assert.deepEqual(wide.toNumbers(), Array.from(data));
      assert.deepEqual(cast(wide, 'float32').toTypedArray(), data);
    }),
    { numRuns: 50, seed: 1 },
  );
});

test('bfloat16 reads as the numbers it holds', () => {
  const tensor = cast(Tensor.from([1, -2.5, 0.1]), 'bfloat16');
  assert.deepEqual(tensor.toNumbers(), [1, -2.5, 0.10009765625]);
  assert.deepEqual(cast(tensor, 'float32').toNumbers(), [1, -2.5, 0.10009765625]);
});

test('plain numbers become float32, or the type asked for', () => {
  assert.equal(Tensor.from([1, 2]).dtype, 'float32');
  assert.deepEqual(Tensor.from([1, 2], [2], 'int64').toTypedArray(), BigInt64Array.of(1n, 2n));
  assert.deepEqual(Tensor.from([0, 2, -1], [3], 'bool').toNumbers(), [0, 1, 1]);
});

test('views of typed arrays are read from their own offset', () => {
  const whole = Float32Array.of(1, 2, 3, 4);
  assert.deepEqual(Tensor.from(whole.subarray(1, 3)).toNumbers(), [2, 3]);
  const copy = Tensor.from(whole);
  whole[0] = 9;
  assert.deepEqual(copy.toNumbers(), [1, 2, 3, 4]);
});

test('elements come in row-major order whatever the strides', () => {
  const turned = transpose(Tensor.from([1, 2, 3, 4, 5, 6], [2, 3]), 0, 1);
  assert.deepEqual(turned.shape, [3, 2]);
  assert.deepEqual(turned.toNumbers(), [1, 4, 2, 5, 3, 6]);
  assert.deepEqual(contiguous(turned).toNumbers(), [1, 4, 2, 5, 3, 6]);
});

test('tensors of no axes and of no elements have shapes too', () => {
  const scalar = sum(Tensor.from([1, 2]));
  assert.deepEqual([scalar.shape, scalar.size, scalar.item()], [[], 1, 3]);
  const empty = zeros([0, 3]);
  assert.deepEqual([empty.shape, empty.size, empty.toNumbers()], [[0, 3], 0, []]);
});

test('widen keeps float64 and makes all else float32', () => {
  const kinds: [DType, DType][] = [
    ['float64', 'float64'],
    ['float32', 'float32'],
    ['bfloat16', 'float32'],
  ];
  for (const [from, to] of kinds) assert.equal(widen(zeros([1], { dtype: from })).dtype, to);
});

const gradient = (tensor: Tensor): number[] | undefined => tensor.grad?.toNumbers();

test('gradients add up until they are forgotten, and can be replaced', () => {
  const weight = Tensor.from([3]).setRequiresGrad(true);
  assert.equal(gradient(weight), undefined);
  sum(square(weight)).backward();
  sum(square(weight)).backward();
  assert.deepEqual(gradient(weight), [12]);
  weight.setGrad(Tensor.from([5]));
  assert.deepEqual(gradient(weight), [5]);
  weight.setGrad();
  assert.equal(gradient(weight), undefined);
  const weighted = mul(weight, 2);
  weighted.backward(Tensor.from([10]));
  assert.deepEqual(gradient(weight), [20]);
});

const disposed = (): Tensor => {
  const tensor = Tensor.from([1, 2]);
  assert.deepEqual(tensor.shape, [2]); // its shape is known from now on
  tensor.dispose();
  return tensor;
};

test('every use of a disposed tensor is an engine error that says so', () => {
  const live = Tensor.from([1, 2]);
  const uses: ((tensor: Tensor) => unknown)[] = [
    (tensor) => tensor.shape,
    (tensor) => tensor.dtype,
    (tensor) => tensor.device,
    (tensor) => tensor.size,
    (tensor) => tensor.axis(0),
    (tensor) => tensor.item(),
    (tensor) => tensor.toNumbers(),
    (tensor) => tensor.toTypedArray(),
    (tensor) => tensor.grad,
    (tensor) => tensor.requiresGrad,
    (tensor) => tensor.setRequiresGrad(true),
    (tensor) => tensor.setGrad(),
    (tensor) => live.setGrad(tensor),
    (tensor) => tensor.backward(),
    (tensor) => add(tensor, 1),
    (tensor) => add(live, tensor),
  ];
  for (const use of uses)
    assert.throws(() => use(disposed()), { code: 'engine', message: /disposed/ }, String(use));
});

test('data that do not fit their shape or type are refused by name', () => {
  const refused: [() => unknown, RegExp][] = [
    [() => Tensor.from([1, 2, 3], [2, 2]), /needs 16 bytes, got 12/],
    [() => Tensor.from([1, 2], [-1, -2]), /negative dimension/],
    [() => Tensor.from([1, 2], [2 ** 40, 2 ** 40]), /overflow/],
    [() => Tensor.from([1, 2], [Number.NaN]), /expected an integer, got nan/],
    [
      () => Tensor.from(Float32Array.of(1), [1], 'int32'),
      /Int32Array for int32, got "Float32Array"/,
    ],
    [() => Tensor.from(Float64Array.of(1), [1], 'int64'), /BigInt64Array for int64/],
    [() => Tensor.from(Uint16Array.of(1)), /16-bit words/],
    [() => Tensor.from([1], [1], 'bfloat16'), /to be cast later/],
    [() => Tensor.from([1.5], [1], 'int64'), /whole numbers for int64, got 1.5/],
    [() => Tensor.from([Number.NaN], [1], 'int32'), /whole numbers for int32, got NaN/],
  ];
  for (const [make, message] of refused) assert.throws(make, { code: 'engine', message });
});

test('item, axis and gradients name what they cannot take', () => {
  const pair = Tensor.from([1, 2]);
  assert.throws(() => pair.item(), {
    code: 'shape',
    message: 'item(): expected a tensor of one element, got [2]',
  });
  assert.throws(() => pair.axis(1), { code: 'shape', message: /axis\(1\).*got \[2\]/ });
  assert.equal(pair.axis(-1), 2);
  assert.throws(() => pair.setGrad(Tensor.from([1])), {
    code: 'shape',
    message: 'setGrad(gradient): expected shape [2], got [1]',
  });
  assert.throws(() => pair.backward(), { code: 'engine', message: /does not require grad/ });
  const weight = Tensor.from([1, 2]).setRequiresGrad(true);
  assert.throws(() => mul(weight, 2).backward(), { code: 'engine', message: /scalar outputs/ });
  const ids = Tensor.from([1], [1], 'int64');
  assert.throws(() => ids.setRequiresGrad(true), { code: 'engine', message: /floating point/ });
  assert.throws(() => cast(pair, 'float16').toNumbers(), { message: /convert with cast/ });
});
