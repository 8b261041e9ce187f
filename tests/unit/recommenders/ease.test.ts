/** EASE against normal equations and counts of rows that are written out here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseEase, Ease, easeStorage, solveEase } from '../../../src/recommenders/ease/ease.js';
import { gramOfRuns } from '../../../src/recommenders/ease/gram.js';
import { engineThreads, scope, Tensor } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { close } from '../../support/numeric.js';
import { eliminate } from './linear.js';

engineThreads(1);

const N = 6;
const lists = [
  [0, 1, 2, 3],
  [2, 1, 4],
  [0, 4, 5, 1, 2, 0],
  [3, 3, 5],
  [1, 2],
];
const sequences = lists.map((items) => ({ items: Int32Array.from(items) }));

/** Every run of so many neighbours, or the whole list; as 0 and 1 per item. */
function rowsOf(items: readonly number[], window: number): number[][] {
  const width = window === 0 ? items.length : Math.min(window, items.length);
  const runs = Array.from({ length: Math.max(0, items.length - width + 1) }, (_, start) =>
    items.slice(start, start + width),
  );
  return runs
    .filter((run) => run.length > 0)
    .map((run) => Array.from({ length: N }, (_, item) => (run.includes(item) ? 1 : 0)));
}

/** Xᵀ X */
function gramOf(rows: readonly number[][]): number[] {
  return Array.from({ length: N * N }, (_, place) => {
    const [i, j] = [Math.floor(place / N), place % N];
    return rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0);
  });
}

test('the Gram matrix counts the runs that hold both items, however often', () => {
  const item = fc.integer({ min: 0, max: N - 1 });
  fc.assert(
    fc.property(
      fc.array(fc.array(item, { maxLength: 9 }), { maxLength: 4 }),
      fc.integer({ min: 0, max: 5 }),
      (made, window) => {
        const got = gramOfRuns(
          made.map((items) => ({ items: Int32Array.from(items) })),
          { catalogSize: N, window },
        );
        assert.deepEqual([...got], gramOf(made.flatMap((items) => rowsOf(items, window))));
      },
    ),
    { numRuns: 200, seed: 3 },
  );
});

for (const window of [0, 3])
  test(`the weights minimise the ridge problem of each item without itself, rows of ${window || 'all'}`, () => {
    const regularization = 0.7;
    const rows = lists.flatMap((items) => rowsOf(items, window));
    const gram = gramOf(rows);
    const got = solveEase(Float64Array.from(gram), regularization);
    for (let target = 0; target < N; target++) {
      // Least squares for one column: the other items explain it, so its normal equations leave it out.
      const others = Array.from({ length: N }, (_, item) => item).filter((i) => i !== target);
      const matrix = others.map((i) =>
        others.map((j) => gram[i * N + j]! + (i === j ? regularization : 0)),
      );
      const wanted = eliminate(
        matrix,
        others.map((i) => gram[i * N + target]!),
      );
      close(
        others.map((i) => got[i * N + target]!),
        wanted,
        1e-6,
      );
      assert.equal(got[target * N + target], 0);
    }
  });

test('older items of a history fade, and one that comes twice counts at its newest place', async () => {
  const weights = Float32Array.from({ length: 9 }, (_, i) => (i % 4 === 0 ? 0 : i));
  const ease = new Ease(weights, { window: 0, regularization: 1, decay: 0.5 });
  const score = async (history: number[]) =>
    (await ease.score([{ history, candidates: [2, 0, 1] }]))[0]?.scores;
  // B = [[0, 1, 2], [3, 0, 5], [6, 7, 0]]
  assert.deepEqual(await score([0, 1]), [5 + 0.5 * 2, 3, 0.5 * 1]);
  assert.deepEqual(await score([1, 0, 1]), [5 + 0.5 * 2, 3, 0.5 * 1]);
  assert.deepEqual(await score([]), [0, 0, 0]);
  assert.equal(ease.trainableParameters, 6);
});

const instance = (history: number[], target: number, row: number) => ({
  split: 'validation' as const,
  row,
  user: `u${row}`,
  history,
  target,
  candidates: [target, (target + 1) % N],
});

test('open settings are chosen, given ones stay, and nothing needs validation where all are given', async () => {
  const given = { window: 2, regularization: 5, decay: 1 };
  const whole = await chooseEase({ catalogSize: N, sequences, ...given }, []);
  assert.deepEqual(whole.settings, given);
  assert.deepEqual(
    whole.weights,
    solveEase(gramOfRuns(sequences, { catalogSize: N, window: 2 }), 5),
  );
  const validation = [instance([1], 2, 0), instance([0, 4], 5, 1)];
  const chosen = await chooseEase({ catalogSize: N, sequences, regularization: 2 }, validation);
  assert.equal(chosen.settings.regularization, 2);
  await assert.rejects(chooseEase({ catalogSize: N, sequences }, []), {
    code: 'data',
    message: /ease: validation: expected at least one instance/,
  });
  await assert.rejects(chooseEase({ catalogSize: N, sequences }, validation, AbortSignal.abort()), {
    name: 'AbortError',
  });
});

test('settings out of range, items outside the catalog and too many items are refused', async () => {
  const given = { window: 2, regularization: 5, decay: 1 };
  const fit = (more: object) => chooseEase({ catalogSize: N, sequences, ...given, ...more }, []);
  for (const wrong of [{ window: -1 }, { window: 1.5 }, { regularization: 0 }, { decay: 0 }])
    await assert.rejects(fit(wrong), { code: 'usage', message: /EASE: 1 problem/ });
  await assert.rejects(fit({ catalogSize: 5 }), { code: 'data', message: /\[0, 5\), got 5/ });
  await assert.rejects(fit({ catalogSize: 50_000 }), {
    code: 'data',
    message: /ease: expected at most 20000 items.*, got 50000/,
  });
});

test('a saved model comes back, and one that cannot be is refused', async () => {
  const storage = easeStorage(N);
  const settings = { window: 3, regularization: 2, decay: 0.9 };
  const model = await chooseEase({ catalogSize: N, sequences, ...settings }, []);
  const opened = scope(() => storage.read(storage.state(model), 'best'));
  assert.deepEqual(opened.settings, settings);
  const query = { history: [1, 2], candidates: [0, 3, 4, 5] };
  assert.deepEqual(await opened.score([query]), await model.score([query]));

  const refused = (key: string, values: readonly number[], shape: number[], message: RegExp) =>
    scope(() => {
      const saved = new Map(storage.state(model));
      saved.set(key, Tensor.from(Float32Array.from(values), shape));
      assert.throws(() => storage.read(saved, 'best'), { code: 'format', message });
    });
  const weights = [...model.weights];
  refused('weights', weights.with(1, Number.NaN), [N, N], /weights: expected finite numbers/);
  refused('weights', weights.with(7, 0.1), [N, N], /expected 0 for item 1 from itself/);
  refused('weights', weights, [N * N], /weights: expected shape \[6, 6\], got \[36\]/);
  refused('settings', [3, 0, 0.9], [3], /settings: 1 problem\n.*regularization/);
  refused('settings', [3, 2], [2], /settings: expected shape \[3\]/);
  refused('more', [1], [1], /more: expected no such tensor/);
});

test('solving and scoring leave no tensor alive', () =>
  leaksNothing(async () => {
    const model = await chooseEase(
      { catalogSize: N, sequences, window: 0, regularization: 1, decay: 1 },
      [],
    );
    await model.score([{ history: [1], candidates: [2] }]);
  }));
