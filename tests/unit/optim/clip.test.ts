/** Clipping by the joint norm. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipGradients } from '../../../src/optim/index.js';
import { engineThreads, Tensor } from '../../../src/tensor/index.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

function withGradient(...values: number[]): Tensor {
  const tensor = Tensor.from(Float64Array.from(values, () => 0)).setRequiresGrad(true);
  tensor.setGrad(Tensor.from(Float64Array.from(values)));
  return tensor;
}
const gradient = (tensor: Tensor): number[] => tensor.grad?.toNumbers() ?? [];

test('gradients of joint norm 13 are scaled to 6.5 and keep their direction', () => {
  const [a, b] = [withGradient(3, 4), withGradient(12)];
  close([clipGradients([a, b], 6.5)], [13], 1e-12);
  close(gradient(a), [1.5, 2], 1e-6);
  close(gradient(b), [6], 1e-6);
});

test('gradients within the bound are left as they are', () => {
  const a = withGradient(3, 4);
  assert.equal(clipGradients([a], 5), 5);
  assert.equal(clipGradients([a], Number.POSITIVE_INFINITY), 5);
  assert.deepEqual(gradient(a), [3, 4]);
});

test('parameters without gradients do not count, and none at all have norm 0', () => {
  const bare = Tensor.from([1]).setRequiresGrad(true);
  assert.equal(clipGradients([bare, withGradient(3, 4)], 100), 5);
  assert.equal(clipGradients([bare], 1), 0);
  assert.equal(clipGradients([], 1), 0);
});

test('a gradient that is not finite shows in the norm', () => {
  assert.ok(Number.isNaN(clipGradients([withGradient(1, Number.NaN)], 1)));
  assert.equal(
    clipGradients([withGradient(1, Number.NEGATIVE_INFINITY)], 1),
    Number.POSITIVE_INFINITY,
  );
});
