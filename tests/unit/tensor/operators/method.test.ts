/** Tensor's own members against plain numbers, in every type. A member without a check fails. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IloraError } from '../../../../src/errors/index.js';
import {
  type DType,
  engineThreads,
  mul,
  scope,
  sum,
  Tensor,
  zeros,
} from '../../../../src/tensor/index.js';
import { encode, type Nd } from './reference.js';
import { ALL, asType, nd, tensorOf } from './row.js';

engineThreads(1);

const TYPES: readonly DType[] = [...ALL, 'int32', 'uint8'];
const SHAPES = [[2, 3], [], [0, 3], [1, 1, 5]] as const;

/** Each type, shape and layout, with the numbers that the tensor holds. */
function everywhere(check: (tensor: Tensor, array: Nd, dtype: DType) => void): void {
  for (const dtype of TYPES)
    for (const shape of SHAPES)
      for (const layout of ['plain', 'strided'] as const)
        scope(() => {
          const made = nd(shape, 3);
          const array = asType(
            dtype === 'uint8' ? { ...made, data: made.data.map(Math.abs) } : made,
            dtype,
          );
          check(tensorOf(array, dtype, layout), array, dtype);
        });
}

const weight = (): Tensor => Tensor.from([2, -3]).setRequiresGrad(true);
const numbers = (tensor: Tensor | undefined): number[] | undefined => tensor?.toNumbers();

const members: Record<string, () => void> = {
  shape: () => everywhere((tensor, { shape }) => assert.deepEqual(tensor.shape, shape)),
  dtype: () => everywhere((tensor, _, dtype) => assert.equal(tensor.dtype, dtype)),
  device: () => everywhere((tensor) => assert.equal(tensor.device, 'cpu')),
  size: () => everywhere((tensor, { data }) => assert.equal(tensor.size, data.length)),
  axis: () =>
    everywhere((tensor, { shape }) => {
      for (const [i, length] of shape.entries()) {
        assert.equal(tensor.axis(i), length);
        assert.equal(tensor.axis(i - shape.length), length);
      }
      for (const index of [shape.length, -shape.length - 1, 0.5, Number.NaN, 'x' as never])
        assert.throws(() => tensor.axis(index), { code: 'shape' });
    }),
  toTypedArray: () =>
    everywhere((tensor, { data }, dtype) =>
      assert.deepEqual(tensor.toTypedArray(), encode(data, dtype)),
    ),
  toNumbers: () =>
    everywhere((tensor, { data }, dtype) => {
      if (dtype === 'float16') assert.throws(() => tensor.toNumbers(), { code: 'engine' });
      else assert.deepEqual(tensor.toNumbers(), data);
    }),
  item: () =>
    everywhere((tensor, { data }, dtype) => {
      if (data.length !== 1) assert.throws(() => tensor.item(), { code: 'shape' });
      else if (dtype !== 'float16') assert.equal(tensor.item(), data[0]);
    }),
  requiresGrad: () => {
    assert.equal(weight().requiresGrad, true);
    assert.equal(zeros([1]).requiresGrad, false);
  },
  setRequiresGrad: () => {
    assert.equal(weight().setRequiresGrad(false).requiresGrad, false);
    everywhere((tensor, _, dtype) => {
      if (dtype.includes('float')) assert.equal(tensor.setRequiresGrad(true).requiresGrad, true);
      else assert.throws(() => tensor.setRequiresGrad(true), { code: 'engine' });
    });
    for (const value of [1, null, 'true', undefined])
      assert.throws(() => zeros([1]).setRequiresGrad(value as never), { code: 'engine' });
  },
  grad: () => {
    const w = weight();
    assert.equal(w.grad, undefined);
    sum(mul(w, w)).backward();
    assert.deepEqual(numbers(w.grad), [4, -6]);
  },
  setGrad: () => {
    const w = weight();
    w.setGrad(Tensor.from([5, 6]));
    assert.deepEqual(numbers(w.grad), [5, 6]);
    for (const wrong of [Tensor.from([1]), zeros([2], { dtype: 'float64' }), w, 'text', {}, null])
      assert.throws(() => w.setGrad(wrong as never), IloraError);
    assert.deepEqual(numbers(w.grad), [5, 6]);
    w.setGrad();
    assert.equal(w.grad, undefined);
  },
  backward: () => {
    const w = weight();
    mul(w, w).backward(Tensor.from([10, 1]));
    assert.deepEqual(numbers(w.grad), [40, -6]);
    for (const wrong of [Tensor.from([1, 2, 3]), 5, 'text', {}, null])
      assert.throws(() => mul(w, w).backward(wrong as never), IloraError);
  },
  dispose: () => everywhere((tensor) => tensor.dispose()),
  isDisposed: () =>
    everywhere((tensor) => {
      assert.equal(tensor.isDisposed, false);
      tensor.dispose();
      assert.equal(tensor.isDisposed, true);
    }),
  toString: () =>
    everywhere((tensor, { shape }, dtype) =>
      assert.equal(tensor.toString(), `Tensor([${shape.join(', ')}] ${dtype} cpu)`),
    ),
};

test('every member of Tensor has a check', () => {
  const own = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(Object.keys(members).sort(), own.sort());
});

for (const [name, check] of Object.entries(members)) test(`Tensor.${name}`, check);

test('a proxy of a tensor and an object made to look like one are refused by every member', () => {
  const forged: Tensor[] = [new Proxy(zeros([1]), {}), Object.create(Tensor.prototype) as Tensor];
  for (const tensor of forged) {
    assert.equal(Tensor.is(tensor), false);
    for (const name of Object.keys(members)) {
      const use = (): unknown => {
        const member = (tensor as unknown as Record<string, unknown>)[name];
        return typeof member === 'function' ? member.call(tensor) : member;
      };
      assert.throws(use, IloraError, name);
    }
  }
});
