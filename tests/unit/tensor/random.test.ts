/** Seeded generators. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  engineThreads,
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

test('a seed that is no whole number from 0 is refused', () => {
  for (const seed of [-1, 1.5, Number.NaN, 2 ** 60])
    assert.throws(() => new Generator(seed), { code: 'engine', message: /whole number from 0/ });
});
