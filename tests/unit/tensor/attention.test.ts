/** Attention in causal order, block by block of queries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attentionByProducts,
  attentionFused,
  causalMask,
  clone,
  copy_,
  engineThreads,
  expand,
  full,
  narrow,
  reshape,
  type Tensor,
} from '../../../src/tensor/index.js';
import { close, noise } from '../../support/numeric.js';

engineThreads(1);

const place = { device: 'cpu', dtype: 'float64' } as const;

type Heads = [Tensor, Tensor, Tensor];

/** Queries, keys and values of 4 heads in 2 groups. */
function heads(T: number, S = T): Heads {
  return [noise([2, 4, T, 8], 1), noise([2, 2, S, 8], 2), noise([2, 2, S, 6], 3)];
}

for (const T of [1, 63, 127, 128, 130, 205, 300, 517])
  test(`causal attention over ${T} tokens is that of the fused kernel, gradients too`, () => {
    const inputs = heads(T);
    const grown = (x: Tensor): Tensor => clone(x).setRequiresGrad(true);
    const [ours, fused] = [inputs.map(grown), inputs.map(grown)] as [Heads, Heads];
    const a = attentionByProducts(...ours, { isCausal: true });
    const b = attentionFused(...fused, { isCausal: true });
    assert.deepEqual(a.shape, b.shape);
    close(a, b, 1e-12);
    const gradient = noise(a.shape, 4);
    a.backward(gradient);
    b.backward(gradient);
    for (const [i, x] of ours.entries())
      close(x.grad as Tensor, (fused[i] as Tensor).grad as Tensor, 1e-11);
  });

test('a causal mask gives the same whether it is said to be causal or not', () => {
  for (const [T, S] of [
    [200, 200],
    [130, 260],
    [64, 300],
  ] as const) {
    const known = S - T;
    const all = causalMask(S, S, place);
    const mask_TS = narrow(all, 0, known, T);
    const perRow = expand(reshape(mask_TS, [1, 1, T, S]), [2, 1, T, S]);
    for (const mask of [mask_TS, perRow]) {
      const inputs = heads(T, S);
      close(
        attentionByProducts(...inputs, { mask, isMaskCausal: true }),
        attentionByProducts(...inputs, { mask }),
        1e-12,
      );
    }
  }
});

test('the first block of queries never reads what comes after it', () => {
  const inputs = heads(128);
  const mask = causalMask(128, 128, place);
  const wanted = narrow(attentionByProducts(...inputs, { mask }), 2, 0, 64);
  for (const x of inputs) copy_(narrow(x, 2, 64, 64), full([1], Number.NaN, place));
  close(narrow(attentionByProducts(...inputs, { isCausal: true }), 2, 0, 64), wanted, 1e-12);
  close(
    narrow(attentionByProducts(...inputs, { mask, isMaskCausal: true }), 2, 0, 64),
    wanted,
    1e-12,
  );
});
