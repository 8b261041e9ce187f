/** Gradients of every module of this folder by finite differences in float64. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as nn from '../../../src/nn/index.js';
import { engineThreads, Generator, RowStreams, Tensor } from '../../../src/tensor/index.js';
import { checkGradients, mixture, noise } from '../../support/numeric.js';

engineThreads(1);

const x = () => noise([2, 3, 4], 1);
const ids = () => Tensor.from(BigInt64Array.of(2n, 0n, 2n, 1n), [2, 2]);

/** One case per module: what is summed up, and what may change. */
const cases: Record<string, () => [() => Tensor, Record<string, Tensor>]> = {
  Linear: () => {
    const layer = new nn.Linear(noise([5, 4], 2), noise([5], 3));
    const input = x();
    return [
      () => layer.forward(input),
      { input, weight: layer.weight, bias: layer.bias as Tensor },
    ];
  },
  Embedding: () => {
    const layer = new nn.Embedding(noise([3, 4], 2));
    return [() => layer.forward(ids()), { weight: layer.weight }];
  },
  Gru: () => {
    const layer = new nn.Gru(4, 3, new Generator(2)).to('cpu', 'float64');
    const input = x();
    return [() => layer.forward(input), { input, ...Object.fromEntries(layer.namedTensors()) }];
  },
  LayerNorm: () => {
    const layer = new nn.LayerNorm(4).to('cpu', 'float64');
    const input = x();
    return [() => layer.forward(input), { input, weight: layer.weight, bias: layer.bias }];
  },
  RmsNorm: () => {
    const layer = new nn.RmsNorm(noise([4], 2));
    const input = x();
    return [() => layer.forward(input), { input, weight: layer.weight }];
  },
  Dropout: () => {
    const layer = new nn.Dropout(0.4);
    const input = x();
    // New streams for each pass: the mask is the same, as it must be for a difference.
    return [
      () => layer.forward(input, { dropout: new RowStreams(BigInt64Array.of(3n, 4n)) }),
      { input },
    ];
  },
};

test('every module of the folder has a case', () => {
  const modules = Object.entries(nn).filter(
    ([, member]) =>
      typeof member === 'function' && member.prototype instanceof (nn.Module as never),
  );
  assert.deepEqual(Object.keys(cases).sort(), modules.map(([name]) => name).sort());
});

for (const [name, make] of Object.entries(cases)) {
  test(`${name}: gradients of its input and of all its tensors`, () => {
    const [forward, inputs] = make();
    checkGradients(() => mixture(forward()), inputs);
  });
}

test('the padding row of an embedding is left out of the gradient, the others are not', () => {
  const layer = new nn.Embedding(noise([3, 4], 2).setRequiresGrad(true), 2);
  mixture(layer.forward(ids())).backward();
  const gradient = layer.weight.grad?.toNumbers() as number[];
  assert.deepEqual(gradient.slice(8), [0, 0, 0, 0]);
  assert.ok(gradient.slice(0, 8).every((value) => value !== 0));
});
