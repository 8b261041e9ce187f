/** Attention with masks that broadcast, composed operators beside fused ones, and backward; the rest is in operators/. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attention,
  attentionByProducts,
  attentionFused,
  engineThreads,
  mul,
  rmsNorm,
  rmsNormComposed,
  scope,
  sum,
  Tensor,
  tril,
  where,
} from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { checkGradients, close, mixture, noise } from '../../support/numeric.js';

engineThreads(1);

const heads = (): { query: Tensor; key: Tensor; value: Tensor } => ({
  query: noise([2, 2, 4, 3], 1),
  key: noise([2, 2, 4, 3], 2),
  value: noise([2, 2, 4, 3], 3),
});

/** Additive mask [2, 1, 4, 4]: causal in the first instance, all but one pair in the second. */
function mask(): Tensor {
  const never = Number.NEGATIVE_INFINITY;
  const rows = [
    [0, never, never, never, 0, 0, never, never, 0, 0, 0, never, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, never, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ];
  return Tensor.from(Float64Array.from(rows.flat()), [2, 1, 4, 4]);
}

test('attention, causal and masked, fused and composed, has the gradients of its formula', () => {
  for (const attend of [attentionFused, attentionByProducts]) {
    for (const options of [{ isCausal: true }, { mask: mask() }]) {
      const inputs = heads();
      const { query, key, value } = inputs;
      checkGradients(() => mixture(attend(query, key, value, options)), inputs);
    }
  }
});

test('composed rmsNorm and attention equal the fused ones to 1e-12 in float64', () => {
  const x = noise([3, 5], 1);
  const weight = noise([5], 2);
  close(rmsNormComposed(x, weight, 1e-5), rmsNorm(x, weight, 1e-5), 1e-12);
  const { query, key, value } = heads();
  for (const options of [{}, { isCausal: true }, { mask: mask() }])
    close(
      attentionByProducts(query, key, value, options),
      attentionFused(query, key, value, options),
      1e-12,
    );
});

test('attention by hand: equal scores average the values, a mask picks one', () => {
  const zero = Tensor.from(new Float32Array(4), [1, 1, 2, 2]);
  const value = Tensor.from([1, 2, 3, 4], [1, 1, 2, 2]);
  close(attention(zero, zero, value), [2, 3, 2, 3], 1e-6);
  close(attention(zero, zero, value, { isCausal: true }), [1, 2, 2, 3], 1e-6);
  const second = Tensor.from([Number.NEGATIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY], [2, 2]);
  close(attention(zero, zero, value, { mask: second }), [3, 4, 1, 2], 1e-6);
});

test('gradients pass through where and tril only where they keep the element', () => {
  const x = Tensor.from([1, 2, 3, 4], [2, 2]).setRequiresGrad(true);
  sum(tril(x)).backward();
  assert.deepEqual(x.grad?.toNumbers(), [1, 0, 1, 1]);
  x.setGrad();
  const isKept = Tensor.from([1, 0, 0, 1], [2, 2], 'bool');
  sum(where(isKept, x, Tensor.from([0, 0, 0, 0], [2, 2]))).backward();
  assert.deepEqual(x.grad?.toNumbers(), [1, 0, 0, 1]);
});

test('backward leaves no tensor behind beside the gradients', async () => {
  const w = noise([3, 3], 4).setRequiresGrad(true);
  const step = (): void => {
    scope(() => sum(mul(w, noise([3, 3], 5))).backward());
    w.setGrad();
  };
  step();
  await leaksNothing(() => {
    for (let i = 0; i < 20; i++) step();
  });
});
