/** Caser: its states by hand, its size, its start, its widths. The rest is in contracts/sequence-encoder. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Caser, type CaserOptions } from '../../../src/recommenders/caser/caser.js';
import { caser } from '../../../src/recommenders/caser/method.js';
import { settingsSchema } from '../../../src/recommenders/index.js';
import {
  engineThreads,
  Generator,
  RowStreams,
  reshape,
  Tensor,
} from '../../../src/tensor/index.js';
import { checkGradients, close, fill_, mixture } from '../../support/numeric.js';

engineThreads(1);

const tiny: CaserOptions = {
  catalogSize: 12,
  maxHistory: 6,
  width: 8,
  heights: [2, 3],
  channels: 3,
  dropout: 0,
};
const make = (options: Partial<CaserOptions> = {}): Caser =>
  new Caser({ ...tiny, ...options }, new Generator(2)).to('cpu', 'float64');

/** Two items, 2 and -1, one column wide; one filter. */
function byHand(maxHistory: number, filter: readonly number[], vertical: readonly number[]): Caser {
  const options = { catalogSize: 2, width: 1, maxHistory, heights: [filter.length], channels: 1 };
  const model = make(options);
  const saved = {
    'items.weight': Tensor.from([2, -1, 9], [3, 1]),
    'horizontal.0.weight': Tensor.from([...filter], [1, 1, filter.length]),
    'horizontal.0.bias': Tensor.from([0.5]),
    'vertical.weight': Tensor.from([...vertical], [1, 1, maxHistory]),
    'vertical.bias': Tensor.from([0.25]),
    'output.weight': Tensor.from([1, 0, 0, 1], [2, 2]),
    'output.bias': Tensor.from([0, 7]),
  };
  model.load(new Map(Object.entries(saved)), 'by hand');
  return model;
}

test('by hand: the largest value of the filter in the window, and the weighted sum of its rows', () => {
  const model = byHand(3, [1, 3], [100, 10, 1]);
  const wanted = [
    [6.5, 2.25], // 0 0 2: of 0.5 and 0 + 3·2 + 0.5 the larger; 2
    [6.5, 19.25], // 0 2 -1: 6.5 is still in the window; 20 - 1
    [0, 189.25], // 2 -1 -1: 2 - 3 + 0.5 and -1 - 3 + 0.5 are below zero; 200 - 10 - 1
    [5.5, 0], // -1 -1 2: -1 + 6 + 0.5; -100 - 10 + 2 is below zero
  ];
  const items = [0, 1, 1, 0];
  const states = model.represent(items.map((_, place) => items.slice(0, place + 1)));
  close(states, wanted.flat(), 1e-12);
  const logits = wanted.flatMap(([horizontal = 0, vertical = 0]) => [horizontal, vertical + 7]);
  close(model.logits(states), logits, 1e-12);
  const inOnePass = model.forward(Tensor.from(BigInt64Array.from(items, BigInt), [1, 4]));
  close(reshape(inOnePass, [4, 2]), states, 1e-12);
});

test('a filter higher than the window has rows of zeros above it', () => {
  const model = byHand(2, [5, 1, 3], [10, 1]);
  const wanted = [6.5, 2.25, 0, 19.25]; // 0 0 2; 0 2 -1: 2 - 3 + 0.5 is below zero
  close(model.represent([[0], [0, 1]]), wanted, 1e-12);
  const single = byHand(1, [1, 3], [1]);
  close(single.represent([[0], [1, 0]]), [6.5, 2.25, 6.5, 2.25], 1e-12);
});

test('items are M wide, the representation is as wide as all filters and M', () => {
  const model = make({ heights: [2, 3, 4], channels: 16, width: 64 });
  assert.equal(model.width, 64);
  assert.equal(model.representationWidth, 112);
  assert.deepEqual(model.represent([[1], [2, 3]]).shape, [2, 112]);
  assert.deepEqual(model.itemVectors([1, 2, 3]).shape, [3, 64]);
});

test('the number of values is the closed form', () => {
  const [N, L, M, C] = [50, 9, 6, 5];
  const heights = [2, 4, 7];
  const model = make({ catalogSize: N, maxHistory: L, width: M, heights, channels: C });
  const filters = heights.reduce((total, height) => total + C * (height * M + 1), 0);
  const S = heights.length * C + M;
  assert.equal(model.trainableParameters, (N + 1) * M + filters + (L + 1) + N * (S + 1));
});

test('items start as N(0, 0.01²), biases of filters at 0.1', () => {
  const model = make({ catalogSize: 400, width: 16 });
  const values = model.items.weight.toNumbers();
  const deviation = Math.sqrt(values.reduce((total, x) => total + x * x, 0) / values.length);
  assert.ok(Math.abs(deviation - 0.01) < 5e-4, `${deviation}`);
  for (const { bias } of [...model.horizontal, model.vertical])
    close(bias, new Array(bias.size).fill(0.1), 1e-7);
});

test('gradients of all filters, with dropout on the state', () => {
  const model = make({ dropout: 0.4 });
  for (const [i, [, tensor]] of [...model.namedTensors()].entries()) fill_(tensor, 20 + i, 0.5);
  const items = Tensor.from(BigInt64Array.of(3n, 1n, 4n, 5n, 9n, 12n), [2, 3]);
  // New streams for each pass: the masks are the same, as they must be for a difference.
  const streams = (): RowStreams => new RowStreams(BigInt64Array.of(3n, 4n));
  const parameters = Object.fromEntries(
    [...model.namedTensors()].filter(([key]) => /^(horizontal|vertical)/.test(key)),
  );
  assert.equal(Object.keys(parameters).length, 6);
  const states = (): Tensor => model.forward(items, { dropout: streams() });
  checkGradients(() => mixture(states()), parameters, { tolerance: 1e-6, step: 1e-6 });
  assert.notDeepEqual(states().toNumbers(), model.forward(items).toNumbers());
});

test("without a word the settings are the authors' shape, trained on all items", () => {
  const settings = settingsSchema(caser).parse({ method: 'caser', data: 'd', out: 'o' });
  const { heights, channels, dropout, width, loss } = settings.caser as Record<string, unknown>;
  assert.deepEqual([heights, channels, dropout, width, loss], [[2, 3, 4], 16, 0.1, 64, 'softmax']);
  for (const section of [{ heights: [] }, { heights: [0] }, { channels: 0 }, { heads: 2 }])
    assert.equal(settingsSchema(caser).safeParse({ ...settings, caser: section }).success, false);
});
