/** iALS against its objective and its normal equations, written out here with plain arrays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HalfStep, type Matrix, type Row } from '../../../src/recommenders/ials/half-step.js';
import {
  choicesOf,
  chooseIals,
  factorize,
  Ials,
  ialsStorage,
} from '../../../src/recommenders/ials/ials.js';
import { engineThreads, scope, Tensor } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { close } from '../../support/numeric.js';
import { eliminate } from './linear.js';

engineThreads(1);

const N = 7;
const lists = [[0, 1, 2, 3], [2, 1, 4], [0, 4, 5, 1, 2, 0], [3, 5], [1, 2, 6], [6]];
const sequences = lists.map((items) => ({ items: Int32Array.from(items) }));
const squares = { unobservedWeight: 0.3, regularization: 0.05 };
const width = 3;

const vectorsOf = ({ values, width: D }: Matrix): number[][] =>
  Array.from({ length: values.length / D }, (_, row) => [
    ...values.subarray(row * D, (row + 1) * D),
  ]);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, d) => sum + value * b[d]!, 0);

/** Σ (ŷ − 1)² over choices + α Σ ŷ² over all + λ Σ (choices + α others) ‖vector‖², of both sides. */
function objective(users: Matrix, items: Matrix): number {
  const { unobservedWeight: alpha, regularization: lambda } = squares;
  const [W, H] = [vectorsOf(users), vectorsOf(items)];
  let loss = 0;
  const counts = new Array<number>(N).fill(0);
  for (const [u, w] of W.entries()) {
    const own = new Set(lists[u]);
    for (const item of own) {
      loss += (dot(w, H[item]!) - 1) ** 2;
      counts[item]! += 1;
    }
    for (const h of H) loss += alpha * dot(w, h) ** 2;
    loss += lambda * (own.size + alpha * N) * dot(w, w);
  }
  for (const [i, h] of H.entries())
    loss += lambda * (counts[i]! + alpha * lists.length) * dot(h, h);
  return loss;
}

const start: Matrix = {
  width,
  values: Float64Array.from({ length: N * width }, (_, i) => Math.sin(3 * i + 1) / 2),
};

test('every half step lowers the objective, and no step from its end lowers it more', async () => {
  const { users, items } = choicesOf({ catalogSize: N, sequences });
  let H = start;
  let before = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 5; step++) {
    const W = await new HalfStep(H, squares).solveAll(users);
    const afterUsers = objective(W, H);
    assert.ok(afterUsers < before, `users, step ${step}`);
    H = await new HalfStep(W, squares).solveAll(items);
    before = objective(W, H);
    assert.ok(before < afterUsers, `items, step ${step}`);
    for (const place of H.values.keys())
      for (const shift of [-1e-3, 1e-3]) {
        const moved = { width, values: H.values.with(place, H.values[place]! + shift) };
        assert.ok(objective(W, moved) > before, `value ${place}`);
      }
  }
});

test('a row is the solution of its normal equations, weights included', () => {
  const rows: Row[] = [
    { items: [1, 4], weights: [1, 0.5] },
    { items: [0, 2, 3, 6] },
    { items: [] },
  ];
  const solved = new HalfStep(start, squares).solve(rows);
  const H = vectorsOf(start);
  const { unobservedWeight: alpha, regularization: lambda } = squares;
  for (const [b, { items, weights = [] }] of rows.entries()) {
    const chosen = [...(items as number[])].map((item, l) => ({
      h: H[item]!,
      weight: (weights as number[])[l] ?? 1,
    }));
    const total = chosen.reduce((sum, { weight }) => sum + weight, alpha * N);
    const matrix = Array.from({ length: width }, (_, i) =>
      Array.from(
        { length: width },
        (_, j) =>
          chosen.reduce((sum, { h, weight }) => sum + weight * h[i]! * h[j]!, 0) +
          alpha * H.reduce((sum, h) => sum + h[i]! * h[j]!, 0) +
          (i === j ? lambda * total : 0),
      ),
    );
    const right = Array.from({ length: width }, (_, i) =>
      chosen.reduce((sum, { h, weight }) => sum + weight * h[i]!, 0),
    );
    close([...solved.subarray(b * width, (b + 1) * width)], eliminate(matrix, right), 1e-12);
  }
});

test('rows of many lengths come back in their order, whatever they are solved with', async () => {
  const rows: Row[] = lists.map((items) => ({ items: [...new Set(items)] }));
  const step = new HalfStep(start, squares);
  const all = vectorsOf(await step.solveAll(rows));
  for (const [i, row] of rows.entries()) close(all[i]!, [...step.solve([row])], 1e-12);
  assert.deepEqual(vectorsOf(await step.solveAll([])), []);
  await assert.rejects(step.solveAll(rows, AbortSignal.abort()), { name: 'AbortError' });
});

const fixed = { width, ...squares };
const options = { catalogSize: N, sequences, iterations: 4, seed: 1 };

test('folding in a training user gives the factors that training solved', async () => {
  const items = await factorize({ ...options, ...fixed });
  const { users } = choicesOf(options);
  const solved = vectorsOf(await new HalfStep(items, squares).solveAll(users));
  const model = new Ials(items, { ...fixed, decay: 1 });
  for (const [u, history] of lists.entries()) {
    close([...model.foldIn(history)], solved[u]!, 1e-12);
    const [scored] = await model.score([{ history, candidates: [5, 0] }]);
    const H = vectorsOf(items);
    close([...scored!.scores], [dot(solved[u]!, H[5]!), dot(solved[u]!, H[0]!)], 1e-12);
  }
  assert.equal(model.trainableParameters, N * width);
});

test('older items weigh less, and one that comes twice counts at its newest place', async () => {
  const items = await factorize({ ...options, ...fixed });
  const model = new Ials(items, { ...fixed, decay: 0.5 });
  const wanted = new HalfStep(items, squares).solve([{ items: [4, 1], weights: [1, 0.5] }]);
  assert.deepEqual(model.foldIn([1, 4]), wanted);
  assert.deepEqual(model.foldIn([4, 1, 4]), wanted);
});

test('items chosen together score above others, and a seed decides everything', async () => {
  const groups = Array.from({ length: 12 }, (_, user) => ({
    items: Int32Array.from(user % 2 === 0 ? [0, 1, 2] : [3, 4, 5]),
  }));
  const made = (seed: number) => factorize({ ...options, ...fixed, sequences: groups, seed });
  const items = await made(1);
  const model = new Ials(items, { ...fixed, decay: 1 });
  const [scored] = await model.score([{ history: [0, 1], candidates: [2, 4] }]);
  assert.ok(scored!.scores[0]! > 0.5 && scored!.scores[1]! < 0.1, String(scored?.scores));
  assert.deepEqual(await made(1), items);
  assert.notDeepEqual(await made(2), items);
});

test('settings out of range and items outside the catalog are refused', async () => {
  const given = { ...fixed, decay: 1 };
  const fit = (more: object) => chooseIals({ ...options, ...given, ...more }, []);
  assert.deepEqual((await fit({})).settings, given);
  for (const wrong of [
    { width: 0 },
    { width: 1.5 },
    { unobservedWeight: 0 },
    { regularization: -1 },
    { decay: 2 },
  ])
    await assert.rejects(fit(wrong), { code: 'usage', message: /iALS: 1 problem/ });
  await assert.rejects(fit({ catalogSize: 5 }), { code: 'data', message: /\[0, 5\), got 5/ });
  await assert.rejects(fit({ decay: undefined }), { code: 'data', message: /ials: validation/ });
});

test('a saved model comes back, and one that cannot be is refused', async () => {
  const storage = ialsStorage(N);
  const settings = { ...fixed, decay: 0.9 };
  const model = new Ials(await factorize({ ...options, ...fixed }), settings);
  const opened = scope(() => storage.read(storage.state(model), 'best'));
  assert.deepEqual(opened.settings, settings);
  const query = { history: [1, 2], candidates: [0, 3, 4, 5] };
  assert.deepEqual(await opened.score([query]), await model.score([query]));

  const refused = (key: string, values: readonly number[], shape: number[], message: RegExp) =>
    scope(() => {
      const saved = new Map(storage.state(model));
      saved.set(key, Tensor.from(Float64Array.from(values), shape));
      assert.throws(() => storage.read(saved, 'best'), { code: 'format', message });
    });
  const values = [...model.items.values];
  refused('items', values.with(3, Number.NaN), [N, width], /items: expected finite numbers/);
  refused('items', values.slice(0, 2 * N), [N, 2], /items: expected 3 values of each, got 2/);
  refused('items', values.slice(0, 3), [1, 3], /items: expected shape \[7, n\], got \[1, 3\]/);
  refused('settings', [3, 0.3, 0.05, 1.5], [4], /settings: 1 problem\n.*decay/);
  refused('settings', [2.5, 0.3, 0.05, 1], [4], /settings: 1 problem\n.*width/);
});

test('learning and scoring leave no tensor alive', () =>
  leaksNothing(async () => {
    const model = new Ials(await factorize({ ...options, ...fixed }), { ...fixed, decay: 1 });
    await model.score([{ history: [1], candidates: [2] }]);
  }));
