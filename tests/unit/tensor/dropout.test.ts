/** Streams of random bits per row, and dropout made of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  dropout,
  engineThreads,
  full,
  indexSelect,
  narrow,
  noGrad,
  RowStreams,
  reshape,
  scope,
  Tensor,
} from '../../../src/tensor/index.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const streams = (...keys: readonly (number | bigint)[]): RowStreams =>
  new RowStreams(BigInt64Array.from(keys, BigInt));

/** SplitMix64 by its definition: the state moves on by a constant and is then mixed. */
function splitMix64(key: bigint, count: number): bigint[] {
  const mask = (1n << 64n) - 1n;
  return Array.from({ length: count }, (_, i) => {
    let z = (key + BigInt(i) * 0x9e3779b97f4a7c15n) & mask;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    return z ^ (z >> 31n);
  });
}

const bytesOf = (words: readonly bigint[]): number[] =>
  words.flatMap((word) =>
    Array.from({ length: 8 }, (_, i) => Number((word >> BigInt(8 * i)) & 255n)),
  );

test('a stream is SplitMix64 of its key, and a draw goes on 2^32 words later', () => {
  const keys = [0n, 1n, -1n, 0x1234_5678_9abc_def0n, -(2n ** 63n)];
  const made = streams(...keys);
  // The first number of SplitMix64 with the seed 0, whose state is moved before it is mixed.
  const known = splitMix64(0x9e3779b97f4a7c15n, 1);
  assert.deepEqual(known, [0xe220a8397b1dcdafn]);
  for (const draw of [0n, 1n, 2n])
    scope(() => {
      const rows = made.bytes(19).toNumbers();
      for (const [b, key] of keys.entries()) {
        const start = key + (draw << 32n) * 0x9e3779b97f4a7c15n;
        assert.deepEqual(
          rows.slice(19 * b, 19 * b + 19),
          bytesOf(splitMix64(start, 3)).slice(0, 19),
        );
      }
    });
});

test("a row's bytes depend on its key, the draw and the place alone: not on mates, their order or the length", () => {
  const key = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(
      fc.array(key, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 0, max: 40 }),
      (keys, counts, longer) =>
        scope(() => {
          const together = streams(...keys.toReversed());
          const alone = keys.map((own) => streams(own));
          for (const count of counts) {
            const all = together.bytes(count + longer);
            for (const [b, own] of alone.entries()) {
              const row = narrow(narrow(all, 0, keys.length - 1 - b, 1), 1, 0, count);
              assert.deepEqual(row.toNumbers(), own.bytes(count).toNumbers());
            }
          }
        }),
    ),
    { numRuns: 60, seed: 1 },
  );
});

/** How far counts of bytes are from even, in standard deviations of chi-squared with 255 degrees of freedom. */
function unevenness(bytes: readonly number[]): number {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte]!++;
  const expected = bytes.length / 256;
  const chi = counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  return (chi - 255) / Math.sqrt(2 * 255);
}

const COUNT = 65_536;

test('bytes are even in all eight lanes, and draws, neighbours and near keys do not hang together', () => {
  scope(() => {
    const made = streams(1, 2, 2n ** 32n, 3);
    const draws = [made.bytes(COUNT), made.bytes(COUNT)].map((draw) => draw.toNumbers());
    const rows = draws.flatMap((draw) =>
      [0, 1, 2, 3].map((b) => draw.slice(b * COUNT, (b + 1) * COUNT)),
    );
    for (const row of rows) {
      assert.ok(Math.abs(unevenness(row)) < 5);
      for (let lane = 0; lane < 8; lane++)
        assert.ok(Math.abs(unevenness(row.filter((_, i) => i % 8 === lane))) < 5, `lane ${lane}`);
    }
    const related: [number[], number[]][] = [];
    for (const [i, row] of rows.entries()) {
      for (const other of rows.slice(i + 1)) related.push([row, other]);
      for (const lag of [1, 8, 576, 1536]) related.push([row.slice(lag), row.slice(0, -lag)]);
    }
    for (const [a, b] of related) {
      const center = 127.5;
      const variance = (256 ** 2 - 1) / 12;
      const sum = a.reduce((total, value, i) => total + (value - center) * (b[i]! - center), 0);
      assert.ok(Math.abs(sum / variance / Math.sqrt(a.length)) < 5, 'correlated');
      const difference = a.map((value, i) => value ^ b[i]!);
      assert.ok(Math.abs(unevenness(difference)) < 5, 'alike');
    }
  });
});

test('dropout zeros the stated share, rounded to 1/256, and keeps the mean', () => {
  for (const p of [0.1, 0.25, 0.5, 0.9]) {
    const rounded = Math.round(p * 256) / 256;
    const values = dropout(full([4, COUNT / 4], 3), p, streams(5, 6, 7, 8)).toNumbers();
    const share = values.filter((value) => value === 0).length / COUNT;
    const deviation = Math.sqrt((rounded * (1 - rounded)) / COUNT);
    close([share], [rounded], 4 * deviation, `share of zeros at ${p}`);
    const kept = 3 / (1 - rounded);
    assert.ok(values.every((value) => value === 0 || Math.abs(value - kept) < 1e-5));
    close([values.reduce((a, b) => a + b) / COUNT], [3], 4 * deviation * kept, `mean at ${p}`);
  }
});

test('dropout repeats with its keys, keeps shape and type, and passes gradients by its mask', () => {
  const mask = (key: number): number[] =>
    dropout(full([1, 5, 7], 1), 0.4, streams(key)).toNumbers();
  assert.deepEqual(mask(3), mask(3));
  assert.notDeepEqual(mask(3), mask(4));
  const x = full([3, 5], 1, { dtype: 'float64' }).setRequiresGrad(true);
  const y = dropout(x, 0.5, streams(1, 2, 3));
  assert.deepEqual([y.shape, y.dtype], [[3, 5], 'float64']);
  y.backward(full([3, 5], 1, { dtype: 'float64' }));
  assert.deepEqual(x.grad?.toNumbers(), y.toNumbers());
  const half = dropout(full([3, 5], 1, { dtype: 'bfloat16' }), 0.5, streams(1, 2, 3));
  assert.equal(half.dtype, 'bfloat16');
});

test('the mask of a row is that of the row alone, in any order and with padding behind it', () => {
  noGrad(() =>
    scope(() => {
      const keys = [11, 12, 13];
      const whole = dropout(full([3, 9, 5], 1), 0.3, streams(...keys));
      for (const [b, key] of keys.entries()) {
        const alone = dropout(full([1, 4, 5], 1), 0.3, streams(key));
        const part = narrow(narrow(whole, 0, b, 1), 1, 0, 4);
        assert.deepEqual(alone.toNumbers(), part.toNumbers());
      }
      const order = Tensor.from([2, 0, 1], [3], 'int64');
      const permuted = dropout(full([3, 9, 5], 1), 0.3, streams(13, 11, 12));
      assert.deepEqual(permuted.toNumbers(), indexSelect(whole, 0, order).toNumbers());
      const flat = dropout(full([3, 45], 1), 0.3, streams(...keys));
      assert.deepEqual(reshape(flat, [3, 9, 5]).toNumbers(), whole.toNumbers());
    }),
  );
});

test('a probability of zero changes nothing; one, more, less and NaN are refused', () => {
  const x = full([1, 3], 1);
  assert.equal(dropout(x, 0, streams(1)), x);
  for (const p of [1, 1.5, -0.1, Number.NaN])
    assert.throws(() => dropout(x, p, streams(1)), {
      code: 'engine',
      message: `dropout(p): expected a probability below 1, got ${p}`,
    });
});

test('as many streams as rows are asked for, and a count of bytes that is one', () => {
  assert.throws(() => dropout(full([3, 2], 1), 0.5, streams(1, 2)), {
    code: 'shape',
    message: 'dropout(x): expected B=2 rows, one per stream, got [3, 2]',
  });
  for (const count of [-1, 1.5, 2 ** 36])
    assert.throws(() => streams(1).bytes(count), { code: 'engine', message: /RowStreams\.bytes/ });
  assert.deepEqual(streams(1, 2).bytes(0).shape, [2, 0]);
});
