/** Markov chains by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMarkov, Markov, markovStorage } from '../../../src/recommenders/counts/markov.js';
import { scope, Tensor } from '../../../src/tensor/index.js';
import { close } from '../../support/numeric.js';

const sequences = [
  [0, 1, 2, 1],
  [2, 1],
].map((items) => ({ items: Int32Array.from(items) }));
const raw = { window: 3, fade: 1, decay: 1, normalization: 0, shrinkage: 0 };
const made = (settings: object) => new Markov({ catalogSize: 4, sequences, ...raw, ...settings });
const scoresOf = async (model: Markov, history: number[], candidates: number[]) =>
  (await model.score([{ history, candidates }]))[0]!.scores;

test('a transition counts forwards only, as far as the window and as faded as it is long', async () => {
  // 0 → 1 (one place), 0 → 2 (two), 0 → 1 (three), 1 → 2, 1 → 1 (two), 2 → 1 twice.
  assert.deepEqual(await scoresOf(made({}), [0], [0, 1, 2, 3]), [0, 2, 1, 0]);
  assert.deepEqual(await scoresOf(made({}), [1], [0, 1, 2, 3]), [0, 1, 1, 0]);
  assert.deepEqual(await scoresOf(made({}), [2], [0, 1, 2, 3]), [0, 2, 0, 0]);
  assert.deepEqual(await scoresOf(made({ window: 1 }), [0], [0, 1, 2, 3]), [0, 1, 0, 0]);
  assert.deepEqual(await scoresOf(made({ fade: 0.5 }), [0], [0, 1, 2, 3]), [0, 1.25, 0.5, 0]);
});

test('decay, normalisation and shrinkage follow the formula', async () => {
  const model = made({ window: 1, decay: 0.5, normalization: 0.5, shrinkage: 1 });
  // Steps of one place: 0 → 1, 1 → 2, and 2 → 1 twice; so 1 leaves once, 2 leaves twice, 1 is reached three times.
  const fromTwo = 2 / Math.sqrt((2 + 1) * (3 + 1));
  const fromZero = 1 / Math.sqrt((1 + 1) * (3 + 1));
  close([...(await scoresOf(model, [0, 2], [1]))], [fromTwo + 0.5 * fromZero], 1e-12);
  close([...(await scoresOf(model, [2, 0], [1]))], [fromZero + 0.5 * fromTwo], 1e-12);
  close(
    [...(await scoresOf(model, [0, 2], [1, 1, 3]))],
    [1, 1, 0].map((n) => n * (fromTwo + 0.5 * fromZero)),
    1e-12,
  );
});

test('open settings are chosen by what comes next on validation', async () => {
  // Item i is followed by i + 1 at once and by noise later: short transitions must win.
  const regular = Array.from({ length: 8 }, (_, start) => ({
    items: Int32Array.from({ length: 16 }, (_, place) => (start + place) % 24),
  }));
  const validation = [3, 5, 9].map((item, row) => ({
    split: 'validation' as const,
    row,
    user: `u${row}`,
    history: [item - 1, item],
    target: item + 1,
    candidates: [item + 1, item + 7, item + 9],
  }));
  const chosen = await chooseMarkov({ catalogSize: 24, sequences: regular }, validation);
  const [scored] = await chosen.score(validation);
  assert.ok(scored!.scores[0]! > Math.max(...scored!.scores.slice(1)));
  assert.ok(chosen.settings.fade < 1);
  const given = { fade: 0.6, decay: 0.5, normalization: 0.1 };
  const told = await chooseMarkov({ catalogSize: 24, sequences: regular, ...given }, []);
  assert.deepEqual(told.settings, { window: 20, shrinkage: 10, ...given });
  await assert.rejects(chooseMarkov({ catalogSize: 24, sequences: regular }, []), {
    code: 'data',
    message: /markov: validation: expected at least one instance/,
  });
});

test('settings out of range and items outside the catalog are refused', () => {
  for (const wrong of [
    { window: 0 },
    { fade: 0 },
    { fade: 1.1 },
    { decay: 0 },
    { normalization: -1 },
    { shrinkage: -1 },
  ])
    assert.throws(() => made(wrong), { code: 'usage', message: /Markov: 1 problem/ });
  assert.throws(() => made({ catalogSize: 2 }), { code: 'data', message: /\[0, 2\), got 2/ });
});

test('a saved model comes back, and one that cannot be is refused', async () => {
  const storage = markovStorage(4);
  const model = made({ fade: 0.5, decay: 0.7, normalization: 0.3, shrinkage: 2 });
  const opened = scope(() => storage.read(storage.state(model), 'best'));
  assert.deepEqual(opened.settings, model.settings);
  const query = { history: [1, 2, 0], candidates: [0, 1, 2, 3] };
  assert.deepEqual(await opened.score([query]), await model.score([query]));
  const refused = (key: string, values: readonly number[], message: RegExp) =>
    scope(() => {
      const saved = new Map(storage.state(model));
      saved.set(key, Tensor.from(Float64Array.from(values)));
      assert.throws(() => storage.read(saved, 'best'), { code: 'format', message });
    });
  refused('counts', [1, 2], /expected the same length/);
  refused('settings', [3, 0.5, 0.7, 0.3], /settings: expected shape \[5\], got \[4\]/);
  refused('settings', [3, 2, 0.7, 0.3, 1], /settings: 1 problem\n.*fade/);
});
