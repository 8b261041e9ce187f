import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cooccurrence, chooseCooccurrence } from '../../../src/recommenders/counts/cooccurrence.js';

const sequences = [{ items: Int32Array.of(0, 1, 2) }, { items: Int32Array.of(2, 1) }];
const plain = { catalogSize: 4, sequences, window: 1, decay: 1, normalization: 0, shrinkage: 0 };
const instance = (history: number[], candidates: number[], row = 0) => ({
  split: 'test' as const,
  row,
  user: `u${row}`,
  history,
  target: candidates[0]!,
  candidates,
});

test('raw counts by hand: both orders meet, the window cuts', async () => {
  const [ranking] = await new Cooccurrence(plain).score([instance([1], [0, 2, 3])]);
  assert.deepEqual(ranking?.scores, [1, 2, 0]);
  const wide = new Cooccurrence({ ...plain, window: 2 });
  assert.deepEqual((await wide.score([instance([0], [2, 1, 3])]))[0]?.scores, [1, 1, 0]);
  const narrow = new Cooccurrence(plain);
  assert.deepEqual((await narrow.score([instance([0], [2, 1, 3])]))[0]?.scores, [0, 1, 0]);
});

test('decay, normalisation and shrinkage follow the formula', async () => {
  const settings = { ...plain, decay: 0.5, normalization: 0.5, shrinkage: 1 };
  const [ranking] = await new Cooccurrence(settings).score([instance([0, 2], [1])]);
  // Totals with window 1: item 0 meets once, item 1 three times, item 2 twice.
  const expected = 0.5 * (1 / Math.sqrt(2 * 4)) + 2 / Math.sqrt(3 * 4);
  assert.ok(Math.abs(ranking!.scores[0]! - expected) < 1e-12);
});

test('with an unbounded window the order inside training sequences does not matter', async () => {
  const settings = { ...plain, window: 100 };
  const reversed = sequences.map(({ items }) => ({ items: items.toReversed() }));
  const row = [instance([1, 2], [0, 3, 1])];
  assert.deepEqual(
    await new Cooccurrence({ ...settings, sequences: reversed }).score(row),
    await new Cooccurrence(settings).score(row),
  );
});

test('an empty history scores every candidate 0', async () => {
  const [ranking] = await new Cooccurrence(plain).score([instance([], [1, 2])]);
  assert.deepEqual(ranking?.scores, [0, 0]);
});

test('settings out of range and items outside the catalog are refused', async () => {
  assert.throws(
    () => new Cooccurrence({ ...plain, window: 0 }),
    /Cooccurrence: .*\n.*window: expected .*>0, got 0/,
  );
  assert.throws(() => new Cooccurrence({ ...plain, decay: 1.5 }), /decay: expected .*<=1, got 1.5/);
  assert.throws(() => new Cooccurrence({ ...plain, normalization: -1 }), /normalization/);
  assert.throws(() => new Cooccurrence({ ...plain, catalogSize: 2 }), /\[0, 2\), got 2/);
  await assert.rejects(new Cooccurrence(plain).score([instance([9], [1])]), /got 9/);
});

test('the choice is at least as good on validation as the defaults', async () => {
  // Items i and i + 4 always follow each other at distance four: a window of 3 cannot see it.
  const regular = Array.from({ length: 6 }, (_, start) => ({
    items: Int32Array.from({ length: 24 }, (_, place) => (start + place) % 24),
  }));
  const validation = [0, 3, 7].map((item, row) =>
    instance([item], [(item + 4) % 24, (item + 11) % 24], row),
  );
  const chosen = await chooseCooccurrence({ catalogSize: 24, sequences: regular }, validation);
  assert.ok(chosen.settings.window > 3);
  const [ranking] = await chosen.score(validation);
  assert.ok(ranking!.scores[0]! > ranking!.scores[1]!);
  await assert.rejects(
    chooseCooccurrence({ catalogSize: 24, sequences: regular }, []),
    /at least one instance/,
  );
});

test('a stopped signal stops the scoring', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(new Cooccurrence(plain).score([instance([1], [0])], { signal }), {
    name: 'AbortError',
  });
});
