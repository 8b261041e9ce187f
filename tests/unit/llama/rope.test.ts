/** Rotary embedding: frequencies by hand, rotation against plain complex products. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inverseFrequencies, RotaryEmbedding, rotate } from '../../../src/llama/index.js';
import { engineThreads, matmul, narrow, transpose } from '../../../src/tensor/index.js';
import { close, noise } from '../../support/numeric.js';

engineThreads(1);

const place = { device: 'cpu', dtype: 'float64' } as const;

test('without scaling, frequency i is θ^(-2i/K)', () => {
  close(Array.from(inverseFrequencies(8, 10_000)), [1, 0.1, 0.01, 0.001], 1e-15);
});

test('linear scaling divides every frequency, stored factors each its own', () => {
  close(
    Array.from(inverseFrequencies(8, 10_000, { type: 'linear', factor: 4 })),
    [0.25, 0.025, 0.0025, 0.00025],
    1e-15,
  );
  close(
    Array.from(inverseFrequencies(8, 10_000, { type: 'factors', factors: [1, 2, 4, 8] })),
    [1, 0.05, 0.0025, 0.000125],
    1e-15,
  );
});

test("Llama-3's scaling keeps short waves, slows long ones and interpolates between, by hand", () => {
  const scaling = {
    type: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  } as const;
  const frequencies = Array.from(inverseFrequencies(128, 500_000, scaling));
  const plain = Array.from(inverseFrequencies(128, 500_000));
  // Wavelengths 2π · 500000^(i/64): 2048 is passed between i = 28 and 29, 8192 between 34 and 35.
  close(frequencies.slice(0, 29), plain.slice(0, 29), 0);
  close(
    frequencies.slice(35),
    plain.slice(35).map((frequency) => frequency / 8),
    0,
  );
  // i = 32: frequency 1/√500000, wavelength 4442.88, smooth (8192/4442.88 - 1)/3 = 0.281283
  const smooth = (8192 / (2 * Math.PI * Math.sqrt(500_000)) - 1) / 3;
  close([smooth], [0.281283], 1e-6);
  close([frequencies[32]!], [(1 / Math.sqrt(500_000)) * ((1 - smooth) / 8 + smooth)], 1e-15);
  assert.ok(frequencies.every((f, i) => i === 0 || f < frequencies[i - 1]!));
});

test('rotating turns each pair (i, i + K/2) by position · frequency', () => {
  const K = 8;
  const x = noise([2, 3, 4, K], 1);
  const rotated = rotate(x, new RotaryEmbedding(K, 10_000).range(5, 4, place)).toNumbers();
  const frequencies = inverseFrequencies(K, 10_000);
  const wanted = x.toNumbers();
  const plain = [...wanted];
  for (let row = 0; row < 2 * 3 * 4; row++) {
    for (let i = 0; i < K / 2; i++) {
      const angle = (5 + (row % 4)) * frequencies[i]!;
      const a = plain[row * K + i]!;
      const b = plain[row * K + i + K / 2]!;
      wanted[row * K + i] = a * Math.cos(angle) - b * Math.sin(angle);
      wanted[row * K + i + K / 2] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
  close(rotated, wanted, 1e-12);
});

test('scores of rotated queries and keys depend on the distance of positions only', () => {
  const rope = new RotaryEmbedding(8, 10_000);
  const query = noise([1, 1, 1, 8], 1);
  const key = noise([1, 1, 1, 8], 2);
  const score = (q: number, k: number): number =>
    matmul(
      rotate(query, rope.range(q, 1, place)),
      transpose(rotate(key, rope.range(k, 1, place)), -1, -2),
    ).item();
  close([score(107, 100)], [score(7, 0)], 1e-12);
  close([score(9, 2)], [score(7, 0)], 1e-12);
  assert.ok(Math.abs(score(8, 0) - score(7, 0)) > 1e-3);
});

test('positions given one by one are those of a range, in any order and past the first table', () => {
  const rope = new RotaryEmbedding(8, 10_000);
  const x = noise([1, 1, 3, 8], 1);
  close(
    rotate(x, rope.at([300, 301, 302], [1, 3], place)),
    rotate(x, rope.range(300, 3, place)),
    0,
  );
  const { cos } = rope.at([2, 0, 2, 1], [2, 2], place);
  const table = rope.range(0, 3, place).cos;
  assert.deepEqual(cos.shape, [2, 1, 2, 8]);
  const row = (i: number): number[] => narrow(table, 0, i, 1).toNumbers();
  assert.deepEqual(cos.toNumbers(), [...row(2), ...row(0), ...row(2), ...row(1)]);
});
