/** GRU4Rec: its states by hand, its size, its start, what is dropped. The rest is in contracts/sequence-encoder. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRU4Rec, type GRU4RecOptions } from '../../../src/recommenders/gru4rec/gru4rec.js';
import { gru4rec } from '../../../src/recommenders/gru4rec/method.js';
import { settingsSchema } from '../../../src/recommenders/index.js';
import { engineThreads, Generator, RowStreams, Tensor } from '../../../src/tensor/index.js';
import { checkGradients, close, fill_, mixture } from '../../support/numeric.js';

engineThreads(1);

const tiny: GRU4RecOptions = { catalogSize: 12, maxHistory: 6, width: 8, layers: 1, dropout: 0 };
const make = (options: Partial<GRU4RecOptions> = {}): GRU4Rec =>
  new GRU4Rec({ ...tiny, ...options }, new Generator(2)).to('cpu', 'float64');

test('by hand: half of the old state and half of the new one; scores are linear in the state', () => {
  const model = make({ catalogSize: 2, width: 1 });
  // Gates at sigmoid(0) = 1/2, and a new state of tanh(x + 1/2 · 2 h).
  const saved = {
    'items.weight': Tensor.from([0.5, -1, 9], [3, 1]),
    'layers.0.input': Tensor.from([0, 0, 1], [3, 1]),
    'layers.0.state': Tensor.from([0, 0, 2], [3, 1]),
    'layers.0.input_bias': Tensor.from([0, 0, 0]),
    'layers.0.state_bias': Tensor.from([0, 0, 0]),
    'output.weight': Tensor.from([10, -10], [2, 1]),
    'output.bias': Tensor.from([1, 2]),
  };
  model.load(new Map(Object.entries(saved)), 'by hand');
  const first = Math.tanh(0.5) / 2;
  const second = Math.tanh(-1 + first) / 2 + first / 2;
  const states = model.represent([[0], [0, 1]]);
  close(states, [first, second], 1e-12);
  close(
    model.logits(states),
    [first, second].flatMap((h) => [1 + 10 * h, 2 - 10 * h]),
    1e-12,
  );
});

test('the number of values is N + 1 items, 6 M (M + 1) per layer and N outputs', () => {
  const [N, M] = [50, 6];
  for (const layers of [1, 3]) {
    const model = make({ catalogSize: N, width: M, layers });
    const wanted = (N + 1) * M + layers * 6 * M * (M + 1) + N * (M + 1);
    assert.equal(model.trainableParameters, wanted);
  }
});

test('items start as N(0, 0.01²)', () => {
  const values = make({ catalogSize: 400, width: 16 }).items.weight.toNumbers();
  const deviation = Math.sqrt(values.reduce((total, x) => total + x * x, 0) / values.length);
  assert.ok(Math.abs(deviation - 0.01) < 5e-4, `${deviation}`);
});

test('gradients through several layers, with dropout before each', () => {
  const model = make({ layers: 2, dropout: 0.4 });
  for (const [i, [, tensor]] of [...model.namedTensors()].entries()) fill_(tensor, 20 + i, 0.5);
  const items = Tensor.from(BigInt64Array.of(3n, 1n, 4n, 5n, 9n, 12n), [2, 3]);
  // New streams for each pass: the masks are the same, as they must be for a difference.
  const streams = (): RowStreams => new RowStreams(BigInt64Array.of(3n, 4n));
  const parameters = Object.fromEntries(
    model.layers.flatMap((layer, l) => [...layer.namedTensors(`${l}.`)]),
  );
  assert.equal(Object.keys(parameters).length, 8);
  const states = (): Tensor => model.forward(items, { dropout: streams() });
  checkGradients(() => mixture(states()), parameters);
  assert.notDeepEqual(states().toNumbers(), model.forward(items).toNumbers());
});

test('without a word the settings are one layer of 64, trained on all items', () => {
  const settings = settingsSchema(gru4rec).parse({ method: 'gru4rec', data: 'd', out: 'o' });
  const { layers, width, loss } = settings.gru4rec as Record<string, unknown>;
  assert.deepEqual([layers, width, loss], [1, 64, 'softmax']);
  for (const section of [{ layers: 0 }, { dropout: 1 }, { heads: 2 }])
    assert.equal(
      settingsSchema(gru4rec).safeParse({ ...settings, gru4rec: section }).success,
      false,
    );
});
