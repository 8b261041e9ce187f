/** A layer of gated recurrent units: its formula, its size, its start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gru } from '../../../src/nn/index.js';
import { engineThreads, Generator, Tensor, zeros } from '../../../src/tensor/index.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

test('a GRU by hand: half of the state is kept, half is new; the reset gate weakens what was', () => {
  const layer = new Gru(1, 1, new Generator(1)).to('cpu', 'float64');
  // Gates at sigmoid(0): r = z = 1/2, n = tanh(x + 1/2 · 2 h).
  const saved = {
    input: Tensor.from([0, 0, 1], [3, 1]),
    state: Tensor.from([0, 0, 2], [3, 1]),
    input_bias: zeros([3]),
    state_bias: zeros([3]),
  };
  layer.load(new Map(Object.entries(saved)), 'by hand');
  const first = Math.tanh(0.5) / 2;
  const second = Math.tanh(-1 + first) / 2 + first / 2;
  const states = layer.forward(Tensor.from(Float64Array.of(0.5, -1), [1, 2, 1]));
  assert.deepEqual(states.shape, [1, 2, 1]);
  close(states, [first, second], 1e-12);
});

test('a GRU has 3 O (I + O + 2) values, none beyond 1/√O, and repeats with its seed', () => {
  const layer = new Gru(5, 4, new Generator(3));
  assert.deepEqual([layer.inFeatures, layer.outFeatures], [5, 4]);
  assert.equal(layer.trainableParameters, 3 * 4 * (5 + 4 + 2));
  const again = new Map(new Gru(5, 4, new Generator(3)).namedTensors());
  for (const [key, tensor] of layer.namedTensors()) {
    assert.ok(tensor.toNumbers().every((value) => Math.abs(value) <= 0.5));
    assert.deepEqual(again.get(key)?.toNumbers(), tensor.toNumbers());
  }
  assert.throws(() => layer.forward(zeros([2, 3, 4])), {
    message: 'Gru.forward(x): expected shape [B, L, I=5], got [2, 3, 4]',
  });
});
