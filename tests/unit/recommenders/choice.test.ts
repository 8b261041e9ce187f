/** How methods choose open settings: the expectation over draws, the order of trials, and what is refused. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { z } from 'zod';
import {
  type CandidateQuery,
  type Dataset,
  type Instance,
  openDataset,
  writeDataset,
} from '../../../src/data/index.js';
import {
  choiceWindows,
  choose,
  combinations,
  expectedReciprocalPlace,
  inRange,
  savedSettings,
} from '../../../src/recommenders/choice.js';
import type { Recommender } from '../../../src/recommenders/index.js';
import { close } from '../../support/numeric.js';
import { temporaryFolder, tinyDraft } from '../data/helper.js';

const N = 8;

/** Scores every item by a function of it. */
const by = (name: string, scoreOf: (item: number) => number): Recommender => ({
  name,
  trainableParameters: 0,
  score: async (queries: readonly CandidateQuery[]) =>
    queries.map(({ candidates }) => ({ scores: candidates.map(scoreOf) })),
});

const instance = (history: number[], target: number, row = 0): Instance => ({
  split: 'validation',
  row,
  user: `u${row}`,
  history,
  target,
  candidates: [target, 0, 1],
});

/** Mean of 1 / place over all pairs of negatives, written out. */
function overAllDraws(pool: readonly number[], beats: (item: number) => boolean): number {
  let [sum, count] = [0, 0];
  for (const [i, one] of pool.entries())
    for (const other of pool.slice(i + 1)) {
      sum += 1 / (1 + Number(beats(one)) + Number(beats(other)));
      count++;
    }
  return sum / count;
}

test('the expected reciprocal place is the mean over all draws; ties count against the target', async () => {
  const [history, target] = [[6, 7], 3];
  const pool = [0, 1, 2, 4, 5];
  const options = { catalogSize: N };
  const one = [instance(history, target)];
  const rising = await expectedReciprocalPlace(
    by('rising', (item) => item),
    one,
    options,
  );
  close([rising], [overAllDraws(pool, (item) => item > target)], 1e-12);
  const equal = await expectedReciprocalPlace(
    by('equal', () => 0),
    one,
    options,
  );
  close([equal], [1 / 3], 1e-12);
  const right = await expectedReciprocalPlace(
    by('right', (item) => -Math.abs(item - 3)),
    one,
    options,
  );
  close([right], [1], 1e-12);
});

test('items of the history are no rivals, though negatives may be drawn from them', async () => {
  // Of the whole history only the last two items are kept out of the pool of six.
  const shown = { ...instance([5, 4, 6, 7], 3), pool: 5 };
  const got = await expectedReciprocalPlace(
    by('rising', (item) => item),
    [shown],
    { catalogSize: N },
  );
  close([got], [overAllDraws([0, 1, 2, 4, 5], () => false)], 1e-12);
});

test('trials are all combinations, the last setting fastest, given ones fixed', () => {
  const grid = { a: [1, 2], b: [5], c: [0.5, 0.1] };
  assert.deepEqual(combinations(grid, { a: undefined }), [
    { a: 1, b: 5, c: 0.5 },
    { a: 1, b: 5, c: 0.1 },
    { a: 2, b: 5, c: 0.5 },
    { a: 2, b: 5, c: 0.1 },
  ]);
  assert.deepEqual(combinations(grid, { a: 9, c: 3 }), [{ a: 9, b: 5, c: 3 }]);
});

test('the best trial is taken, the first of equally good ones, and one trial needs no validation', async () => {
  const validation = [instance([7], 3), instance([6], 3, 1)];
  const fitted: number[] = [];
  const choice = (grid: readonly number[], given?: number) => ({
    where: 'test',
    grid: { near: grid },
    given: { near: given },
    fit({ near }: { near: number }) {
      fitted.push(near);
      return by(String(near), (item) => -Math.abs(item - near));
    },
    validation,
    catalogSize: N,
  });
  assert.equal((await choose(choice([0, 3, 5]))).name, '3');
  assert.deepEqual(fitted, [0, 3, 5]);
  assert.equal((await choose(choice([2.9, 3.1, 3]))).name, '2.9', 'a tie goes to the first');
  assert.equal((await choose({ ...choice([0, 3], 4), validation: [] })).name, '4');
  await assert.rejects(choose({ ...choice([0, 3]), validation: [] }), {
    code: 'data',
    message: /test: validation: expected at least one instance, got 0 — give near, or a dataset/,
  });
  await assert.rejects(choose(choice([0, 3]), AbortSignal.abort()), { name: 'AbortError' });
});

test('settings out of their ranges are all named, in calls and in saved models', () => {
  const ranges = { count: z.int().positive(), share: z.number().min(0).max(1) };
  const fine = { count: 2, share: 0.5 };
  assert.deepEqual(inRange(fine, ranges, { code: 'usage', where: 'x' }), fine);
  assert.deepEqual(savedSettings([2, 0.5], ranges, 'best'), fine);
  assert.throws(() => inRange({ count: 0, share: 2 }, ranges, { code: 'usage', where: 'x' }), {
    code: 'usage',
    message: /x: 2 problems\n {2}count: .*got 0\n {2}share: .*got 2/,
  });
  assert.throws(() => savedSettings([Number.NaN, 0], ranges, 'best'), {
    code: 'format',
    message: /best: settings: 1 problem\n {2}count: .*got NaN/,
  });
});

let dataset: Dataset;
before(async () => {
  const folder = join(temporaryFolder(), 'data');
  await writeDataset(folder, tinyDraft(), { candidateCount: 5, seed: 1 });
  dataset = await openDataset(folder);
});

test('a choice sees several windows of validation users, of its protocol, and none of test', () => {
  for (const protocol of ['window', 'history'] as const)
    assert.deepEqual(choiceWindows(dataset, protocol), [
      ...dataset.windows('validation', { perUser: 5, protocol }),
    ]);
  assert.deepEqual([...new Set(choiceWindows(dataset, 'window').map(({ user }) => user))], ['u3']);
});
