/** Rows of tokens, their mask and their batches, by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  cutByTokens,
  cutCheaply,
  cutEvenly,
  type LayoutRow,
  layOut,
  rowLength,
  tokensPerWorker,
  treeMask,
} from '../../../src/recommenders/llm/layout.js';

/** A prompt with three continuations, and a shorter row with one. */
const rows: LayoutRow[] = [
  {
    prompt: { ids: [10, 11, 12], slots: [{ position: 1, item: 7 }] },
    continuations: [[20, 21], [22], [23, 24, 25]],
  },
  {
    prompt: {
      ids: [13, 14],
      slots: [
        { position: 0, item: 8 },
        { position: 1, item: 9 },
      ],
    },
    continuations: [[26]],
  },
];

/** Rows of known lengths: a prompt, and one token that is only predicted. */
const ofLengths = (lengths: readonly number[]): LayoutRow[] =>
  lengths.map((length) => ({
    prompt: { ids: new Array<number>(length).fill(0), slots: [] },
    continuations: [[0]],
  }));

test('a row takes its prompt and all but the last token of each continuation', () => {
  assert.deepEqual(rows.map(rowLength), [3 + 1 + 0 + 2, 2]);
});

test('continuations follow the prompt, count on from it, and predict from the token before', () => {
  assert.deepEqual(layOut(rows), {
    B: 2,
    T: 6,
    ids: BigInt64Array.of(10n, 11n, 12n, 20n, 23n, 24n, 13n, 14n, 0n, 0n, 0n, 0n),
    positions: [0, 1, 2, 3, 3, 4, 0, 1, 0, 0, 0, 0],
    segments: Int32Array.of(0, 0, 0, 1, 3, 3, 0, 0, -1, -1, -1, -1),
    slots: { places: [1, 6, 7], items: [7, 8, 9] },
    states: [2, 3, 4, 5, 7],
    predictions: [
      { state: 0, token: 20, row: 0, continuation: 0 },
      { state: 1, token: 21, row: 0, continuation: 0 },
      { state: 0, token: 22, row: 0, continuation: 1 },
      { state: 0, token: 23, row: 0, continuation: 2 },
      { state: 2, token: 24, row: 0, continuation: 2 },
      { state: 3, token: 25, row: 0, continuation: 2 },
      { state: 4, token: 26, row: 1, continuation: 0 },
    ],
    isTree: true,
  });
});

test('one continuation in each row is no tree', () => {
  const [tree, plain] = rows as [LayoutRow, LayoutRow];
  assert.equal(layOut([plain, plain]).isTree, false);
  assert.equal(layOut([plain, tree]).isTree, true);
  const two = { ...plain, continuations: [[26], [27]] };
  assert.equal(layOut([plain, two]).isTree, true);
});

test('a token sees what comes before it in the prompt and in its own continuation', () => {
  const mask = treeMask(layOut(rows), { device: 'cpu', dtype: 'float32' });
  assert.deepEqual(mask.shape, [2, 1, 6, 6]);
  assert.equal(mask.dtype, 'float32');
  const values = mask.toNumbers();
  const seen = Array.from({ length: 12 }, (_, query) =>
    values
      .slice(6 * query, 6 * query + 6)
      .map((value) => ({ 0: 'x', [-Infinity]: '.' })[value])
      .join(''),
  );
  assert.deepEqual(seen, [
    ...['x.....', 'xx....', 'xxx...', 'xxxx..', 'xxx.x.', 'xxx.xx'],
    // Padding sees itself, so that its scores are numbers.
    ...['x.....', 'xx....', 'xxx...', 'xxxx..', 'xxxxx.', 'xxxxxx'],
  ]);
});

test('batches take rows longest first, those of one length in their order, up to and with the bound', () => {
  const lengths = [3, 9, 4, 4, 1, 20];
  assert.deepEqual(cutByTokens(ofLengths(lengths), 12), [[5], [1], [2, 3, 0], [4]]);
  assert.deepEqual(cutByTokens(ofLengths(lengths), 11), [[5], [1], [2, 3], [0, 4]]);
  assert.deepEqual(cutByTokens(ofLengths([2, 2, 2]), 6), [[0, 1, 2]]);
  const many = Array.from({ length: 300 }, (_, i) => 1 + ((i * i) % 7));
  const [order] = cutByTokens(ofLengths(many), 1 << 20) as [number[]];
  for (const [place, row] of order.slice(1).entries()) {
    const before = order[place] as number;
    const isLater = many[before] === many[row] && before < row;
    assert.ok(isLater || many[before]! > many[row]!, `row ${row} after ${before}`);
  }
});

test('several workers hold half as many again together, at least 512 each, at most what one would', () => {
  assert.equal(tokensPerWorker(2048, 1), 2048);
  assert.equal(tokensPerWorker(1024, 2), 768);
  assert.equal(tokensPerWorker(1001, 2), 751);
  assert.equal(tokensPerWorker(4096, 3), 2048);
  assert.equal(tokensPerWorker(1024, 3), 512);
  assert.equal(tokensPerWorker(1024, 8), 512);
  assert.equal(tokensPerWorker(400, 2), 400);
});

test('a cut saves at least the 50 tokens that a batch costs', () => {
  // Pairs end at 2 · 300 + 50 = 650; single rows at 300 + length + 2 · 50.
  const cut = (length: number) => cutEvenly(ofLengths([300, length, length, length]), 1024, 2);
  const pairs = [
    [0, 1],
    [2, 3],
  ];
  assert.deepEqual(cut(249), [[0], [1], [2], [3]]); // 649
  assert.deepEqual(cut(250), pairs); // no gain
  assert.deepEqual(cut(251), pairs);
});

test('one worker has as few batches as the bound allows, several have a row each where there is one', () => {
  assert.deepEqual(cutEvenly(ofLengths([300, 10, 10]), 600, 1), [[0, 1], [2]]);
  assert.deepEqual(cutEvenly(ofLengths([1, 1, 1, 1]), 1024, 4), [[0], [1], [2], [3]]);
  assert.deepEqual(cutEvenly([], 1024, 2), []);
});

/** When the last worker is done: batches cost their tokens with padding and 50 more. */
function lastEnd(
  batches: readonly number[][],
  lengths: readonly number[],
  workers: number,
): number {
  const ends = new Array<number>(workers).fill(0);
  for (const batch of batches) {
    ends.sort((a, b) => a - b);
    ends[0]! += batch.length * lengths[batch[0]!]! + 50; // the longest comes first
  }
  return Math.max(...ends);
}

test('of the cuts into one, two and three more rounds, the one that is done first is taken', () => {
  const casesOf = (longest: number, least: number, most: number) =>
    fc.record({
      lengths: fc.array(fc.integer({ min: 1, max: longest }), { minLength: 1, maxLength: 14 }),
      workers: fc.integer({ min: 2, max: 4 }),
      most: fc.integer({ min: least, max: most }),
    });
  // In short rows every token of the bound counts.
  const cases = fc.oneof(casesOf(400, 300, 1500), casesOf(9, 4, 60));
  fc.assert(
    fc.property(cases, ({ lengths, workers, most }) => {
      const all = ofLengths(lengths);
      const bound = tokensPerWorker(most, workers);
      const rounds = Math.ceil(cutByTokens(all, bound).length / workers);
      const cuts = [0, 1, 2].map((more) => {
        let tokens = 1;
        while (cutByTokens(all, tokens).length > (rounds + more) * workers) tokens++;
        return cutByTokens(all, tokens);
      });
      const ends = cuts.map((cut) => lastEnd(cut, lengths, workers));
      const first = cuts[ends.indexOf(Math.min(...ends))];
      assert.deepEqual(cutEvenly(all, most, workers), first);
    }),
    { numRuns: 300 },
  );
});

test('a cheap cut wastes the least padding that the bound and a batch’s own cost allow', () => {
  // Two long rows and many short ones: one batch would be padding for the most part.
  const lengths = [200, 10, 12, 190, 11, 9];
  assert.deepEqual(cutCheaply(lengths, { tokens: 2000 }), [
    [0, 3],
    [2, 4, 1, 5],
  ]);
  assert.deepEqual(cutCheaply([10, 11, 12], { tokens: 2000 }), [[2, 1, 0]]);
  assert.deepEqual(cutCheaply([10, 11, 12], { tokens: 5 }), [[2], [1], [0]]);
  assert.deepEqual(cutCheaply([], { tokens: 5 }), []);
  // No batch is more than a worker's share.
  const parts = cutCheaply(new Array<number>(8).fill(100), { tokens: 2000, workers: 2 });
  assert.deepEqual(
    parts.map(({ length }) => length),
    [4, 4],
  );
});
