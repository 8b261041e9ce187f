/** A blend of members whose scores are said here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { Dataset, Instance } from '../../../src/data/index.js';
import { Random } from '../../../src/random/index.js';
import { Blend, blendStorage } from '../../../src/recommenders/blend/blend.js';
import { standardise } from '../../../src/recommenders/blend/features.js';
import {
  type BlendRow,
  blendRows,
  crossFit,
  fitBlend,
} from '../../../src/recommenders/blend/fit.js';
import { blend } from '../../../src/recommenders/blend/method.js';
import type { Member } from '../../../src/recommenders/index.js';
import { scope, Tensor } from '../../../src/tensor/index.js';
import { close } from '../../support/numeric.js';

const N = 8;

/** A member that scores by a function of history and item. */
function member(name: string, scoreOf: (history: readonly number[], item: number) => number) {
  const log: string[] = [];
  const made: Member & { log: string[] } = {
    name,
    log,
    model: {
      recommender: {
        name,
        trainableParameters: 5,
        score: async (queries) =>
          queries.map(({ history, candidates }) => ({
            scores: candidates.map((item) => scoreOf(history, item)),
          })),
      },
      state: () => new Map(),
      load: () => undefined,
      freeze: () => void log.push('freeze'),
      release: () => void log.push('release'),
    },
  };
  return made;
}

const rising = member('rising', (_history, item) => item);
const squares = member('squares', (history, item) => 100 - (item - (history.at(-1) ?? 0)) ** 2);
const flat = member('flat', () => 0.1);

const blendOf = (members: readonly Member[], ...weights: number[]) =>
  new Blend({ members, weights: Float64Array.from(weights), catalogSize: N });

test('standardised by hand: the history counts for nothing, and is scaled with the rest', () => {
  const scores = Float64Array.of(100, 2, 4, 6);
  standardise(scores, Uint8Array.of(1, 0, 0, 0));
  const deviation = Math.sqrt(8 / 3);
  close([...scores], [96 / deviation, -2 / deviation, 0, 2 / deviation], 1e-12);
  const same = Float64Array.of(0.1, 0.1, 0.1);
  standardise(same, new Uint8Array(3));
  assert.deepEqual([...same], [0, 0, 0]);
  const allSeen = Float64Array.of(1, 3);
  standardise(allSeen, Uint8Array.of(1, 1));
  assert.deepEqual([...allSeen], [-1, 1]);
});

test('a score by hand: the weighted sum of what members give an item, standardised', async () => {
  const history = [0, 7];
  const [scored] = await blendOf([rising, flat], 2, 9).score([{ history, candidates: [6, 3] }]);
  // Items 1 to 6 have mean 3.5 and variance 35/12.
  const deviation = Math.sqrt(35 / 12);
  close([...scored!.scores], [(2 * 2.5) / deviation, (2 * -0.5) / deviation], 1e-12);
});

test('what an item scores does not depend on what else is asked for', async () => {
  const model = blendOf([rising, squares], 0.3, 1.2);
  const all = await model.score([{ history: [2, 5], candidates: [0, 1, 2, 3, 4, 5, 6, 7] }]);
  for (let item = 0; item < N; item++) {
    const [one] = await model.score([{ history: [2, 5], candidates: [item] }]);
    assert.equal(one!.scores[0], all[0]!.scores[item]);
  }
});

test('with one member the ranking is its own, when asked for candidates and for the best', async () => {
  const model = blendOf([squares], 0.4);
  const [found] = await model.retrieve([{ history: [1, 4], count: N }]);
  const own = [0, 2, 3, 5, 6, 7].sort((a, b) => (a - 4) ** 2 - (b - 4) ** 2 || a - b);
  assert.deepEqual(found!.items, own);
  const [scored] = await model.score([{ history: [1, 4], candidates: own }]);
  assert.deepEqual(scored!.scores, found!.scores);
});

/** Windows whose targets follow the last item closely, and otherwise are drawn. */
function instances(users: number, perUser = 6, firstUser = 0): Instance[] {
  return Array.from({ length: users * perUser }, (_, i) => {
    const random = new Random(7, 'windows', i, firstUser);
    const last = random.int(N);
    const near = (last + 1) % N;
    const target = random.uniform() < 0.6 ? near : (last + 1 + random.int(N - 1)) % N;
    const candidates = [
      target,
      ...[0, 1, 2, 3, 4, 5, 6, 7].filter((x) => x !== target).slice(0, 3),
    ];
    const user = `u${firstUser + Math.floor(i / perUser)}`;
    const pool = N - 2;
    return { split: 'validation', row: i, user, history: [last], target, candidates, pool };
  });
}

const rowsOf = (members: readonly Member[], windows = instances(9)) =>
  blendRows(members, windows, { catalogSize: N });

test('rows hold the target first and nothing of the history; repeated items are left out', async () => {
  const windows: Instance[] = [
    { ...instances(1, 1)[0]!, history: [7], target: 2, candidates: [2, 0] },
    { ...instances(1, 1)[0]!, history: [7, 2], target: 2, candidates: [2, 0] },
  ];
  const done: (number | undefined)[] = [];
  const rows = await blendRows([rising], windows, {
    catalogSize: N,
    onProgress: (progress) => done.push(progress.done),
  });
  assert.deepEqual(done, [1, 2]);
  assert.equal(rows.length, 1);
  const places = [2, 0, 1, 3, 4, 5, 6].map((item) => (item - 3) / 2);
  close([...rows[0]!.features_KF], places, 1e-6);
  assert.deepEqual([rows[0]!.pool, rows[0]!.negatives], [N - 2, 1]);
});

test('more scores than memory should hold are refused before they are made', async () => {
  const many = { catalogSize: 2 ** 28 };
  await assert.rejects(blendRows([rising], instances(1, 3), many), {
    code: 'usage',
    message: /blend\.windows_per_user: expected .* 2 GiB, got .*3\.0 GiB/,
  });
});

test('permuting the members permutes the weights and changes nothing else', async () => {
  const options = { members: 3, ridge: 1 };
  const one = await fitBlend(await rowsOf([rising, squares, flat]), options);
  const other = await fitBlend(await rowsOf([flat, rising, squares]), options);
  close([...other], [one[2]!, one[0]!, one[1]!], 1e-9);
  assert.ok(one[1]! > 0.1, 'the member that knows something counts');
  assert.equal(one[2], 0, 'the one that knows nothing does not');
  const asked = [{ history: [3], candidates: [0, 1, 2, 4, 5, 6, 7] }];
  const [first] = await blendOf([rising, squares, flat], ...one).score(asked);
  const [second] = await blendOf([flat, rising, squares], ...other).score(asked);
  close([...second!.scores], [...first!.scores], 1e-9);
});

test("cross-fitting leaves a user's rows out of the weights that they are measured with", async () => {
  const members = [rising, squares];
  const options = { members: 2, ridge: 1 };
  const rows = await rowsOf(members);
  const before = await crossFit(rows, 4, options);
  // All rows of one user now say the contrary.
  const changed = rows.map((row): BlendRow => {
    if (row.user !== 'u2') return row;
    return { ...row, features_KF: row.features_KF.map((feature) => -feature) };
  });
  const after = await crossFit(changed, 4, options);
  const own = before!.folds[rows.findIndex(({ user }) => user === 'u2')]!;
  for (const [fold, weights] of after!.weights.entries())
    assert.equal(isDeepStrictEqual(weights, before!.weights[fold]), fold === own, `fold ${fold}`);
  const byUser = new Map<string, Set<number>>();
  for (const [i, { user }] of rows.entries())
    byUser.set(user, (byUser.get(user) ?? new Set()).add(before!.folds[i]!));
  assert.ok([...byUser.values()].every((folds) => folds.size === 1));
  assert.equal(new Set(before!.folds).size, 4);
});

test('the quality of cross-fitting by hand: a target that always wins, and one that ties', async () => {
  const row = (user: string, features: number[]): BlendRow => ({
    user,
    features_KF: Float32Array.from(features),
    pool: 2,
    negatives: 1,
  });
  const clear = await crossFit([row('a', [1, 0, 0]), row('b', [1, 0, 0])], 5, {
    members: 1,
    ridge: 1,
  });
  assert.equal(clear!.expectedMrr, 1);
  assert.ok(clear!.loss < Math.log(3));
  assert.equal(clear!.weights.length, 2, 'no more folds than users');
  const tied = await crossFit([row('a', [0, 0, 0]), row('b', [0, 0, 0])], 5, {
    members: 1,
    ridge: 1,
  });
  assert.equal(tied!.expectedMrr, 0.5);
  close([tied!.loss], [Math.log(3)], 1e-12);
  assert.equal(await crossFit([row('a', [1, 0, 0])], 5, { members: 1, ridge: 1 }), undefined);
});

test('saved weights come back to the members of their names, and to no others', () => {
  const storage = blendStorage([rising, squares], N);
  scope(() => {
    const saved = storage.state(blendOf([rising, squares], 0.25, -2));
    assert.deepEqual([...saved.keys()], ['weight.rising', 'weight.squares']);
    assert.deepEqual([...storage.read(saved, 'best').parts.weights], [0.25, -2]);
    assert.deepEqual(
      [...blendStorage([squares, rising], N).read(saved, 'best').parts.weights],
      [-2, 0.25],
    );
    const refuse = (
      members: readonly Member[],
      tensors: ReadonlyMap<string, Tensor>,
      message: RegExp,
    ) =>
      assert.throws(() => blendStorage(members, N).read(tensors, 'best'), {
        code: 'format',
        message,
      });
    refuse(
      [rising, flat],
      saved,
      /weight\.flat: expected a tensor[\s\S]*weight\.squares: expected no such/,
    );
    refuse(
      [rising],
      new Map([['weight.rising', Tensor.from(Float64Array.of(1, 2))]]),
      /shape \[1\], got \[2\]/,
    );
    refuse(
      [rising],
      new Map([['weight.rising', Tensor.from(Float64Array.of(Number.NaN))]]),
      /finite/,
    );
  });
});

test('what a blend is told of gradients and of shared parts, its members are told', () => {
  const told = [rising, squares].map(({ name }) => member(name, () => 0));
  const dataset = { catalog: { size: N } } as Dataset;
  const model = blend.build({} as never, { dataset, members: told });
  model.freeze();
  model.release?.();
  for (const { log } of told) assert.deepEqual(log, ['freeze', 'release']);
});

test('its trained values are the members’ and one weight each', () => {
  assert.equal(blendOf([rising, squares], 1, 1).trainableParameters, 12);
});
