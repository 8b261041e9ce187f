import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Popularity } from '../../../src/recommenders/counts/popularity.js';

const instance = {
  split: 'test',
  row: 0,
  user: 'u',
  history: [0, 1, 2],
  target: 3,
  candidates: [3, 0, 2],
};

test('scores are training counts, in the order of the candidates', async () => {
  const popularity = new Popularity({
    catalogSize: 4,
    sequences: [{ items: Int32Array.of(0, 1, 3) }, { items: Int32Array.of(3, 0, 0) }],
  });
  const done: number[] = [];
  const [ranking] = await popularity.score([instance], { onProgress: (n) => done.push(n) });
  assert.deepEqual(ranking?.scores, [2, 3, 0]);
  assert.deepEqual(done, [1]);
});

test('an item outside the catalog is refused, naming it', async () => {
  const sequences = [{ items: Int32Array.of(4) }];
  assert.throws(() => new Popularity({ catalogSize: 4, sequences }), /\[0, 4\), got 4/);
  const popularity = new Popularity({ catalogSize: 3, sequences: [] });
  await assert.rejects(popularity.score([instance]), /got 3/);
});
