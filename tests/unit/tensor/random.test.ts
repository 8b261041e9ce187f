/** Seeded streams and dropout. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dropout,
  engineThreads,
  full,
  Generator,
  normal_,
  randn,
  uniform_,
  zeros,
} from '../../../src/tensor/index.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const COUNT = 40_000;

test('equal seeds give equal streams, other seeds and later draws other numbers', () => {
  const draw = (seed: number): number[][] => {
    const generator = new Generator(seed);
    return [randn([5], generator).toNumbers(), randn([5], generator).toNumbers()];
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  const [first, second] = draw(7);
  assert.notDeepEqual(first, second);
});

test('one generator does not disturb another', () => {
  const alone = randn([5], new Generator(7)).toNumbers();
  const mine = new Generator(7);
  randn([100], new Generator(9));
  assert.deepEqual(randn([5], mine).toNumbers(), alone);
});

test('uniform and normal numbers have the moments asked for', () => {
  const moments = (values: number[]): [number, number] => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return [mean, Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length)];
  };
  const x = zeros([COUNT]);
  uniform_(x, -1, 3, new Generator(1));
  const values = x.toNumbers();
  assert.ok(values.every((value) => value >= -1 && value < 3));
  close(moments(values), [1, 4 / Math.sqrt(12)], 0.03);
  normal_(x, 2, 0.5, new Generator(1));
  close(moments(x.toNumbers()), [2, 0.5], 0.02);
});

test('dropout zeros the stated share, rounded to 1/256, and keeps the mean', () => {
  for (const p of [0.1, 0.25, 0.5, 0.9]) {
    const rounded = Math.round(p * 256) / 256;
    const values = dropout(full([COUNT], 3), p, new Generator(5)).toNumbers();
    const share = values.filter((value) => value === 0).length / COUNT;
    const deviation = Math.sqrt((rounded * (1 - rounded)) / COUNT);
    close([share], [rounded], 4 * deviation, `share of zeros at ${p}`);
    const kept = 3 / (1 - rounded);
    assert.ok(values.every((value) => value === 0 || Math.abs(value - kept) < 1e-5));
    close([values.reduce((a, b) => a + b) / COUNT], [3], 4 * deviation * kept, `mean at ${p}`);
  }
});

test('dropout repeats with its seed, keeps shape and type, and passes gradients by its mask', () => {
  const mask = (seed: number): number[] =>
    dropout(full([3, 5, 7], 1), 0.4, new Generator(seed)).toNumbers();
  assert.deepEqual(mask(3), mask(3));
  assert.notDeepEqual(mask(3), mask(4));
  const x = full([3, 5], 1, { dtype: 'float64' }).setRequiresGrad(true);
  const y = dropout(x, 0.5, new Generator(2));
  assert.deepEqual([y.shape, y.dtype], [[3, 5], 'float64']);
  y.backward(full([3, 5], 1, { dtype: 'float64' }));
  assert.deepEqual(x.grad?.toNumbers(), y.toNumbers());
  assert.equal(
    dropout(full([3, 5], 1, { dtype: 'bfloat16' }), 0.5, new Generator(2)).dtype,
    'bfloat16',
  );
});

test('a probability of zero changes nothing; one, more, less and NaN are refused', () => {
  const x = full([3], 1);
  assert.equal(dropout(x, 0, new Generator(1)), x);
  for (const p of [1, 1.5, -0.1, Number.NaN])
    assert.throws(() => dropout(x, p, new Generator(1)), {
      code: 'engine',
      message: `dropout(p): expected a probability below 1, got ${p}`,
    });
});

test('a seed that is no whole number from 0 is refused', () => {
  for (const seed of [-1, 1.5, Number.NaN, 2 ** 60])
    assert.throws(() => new Generator(seed), { code: 'engine', message: /whole number from 0/ });
});
