/** What every recommender keeps, over the registry. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { CandidateQuery } from '../../src/data/index.js';
import { METHODS, type Method, type Scored } from '../../src/recommenders/index.js';
import { engineThreads } from '../../src/tensor/index.js';
import { openRun, type Run, trainRun } from '../../src/training/index.js';
import { temporaryFolder } from '../support/folder.js';
import { leaksNothing } from '../support/leak.js';
import { close } from '../support/numeric.js';
import { hooks, makeWorld, smallSettings, type World } from './world.js';

engineThreads(1);

/** Of scores that went through the model in another batch. */
const TOLERANCE = 2e-5;

const queries: readonly CandidateQuery[] = [
  { history: [1, 2, 3], candidates: [4, 9, 17, 30, 5] },
  { history: [8], candidates: [2, 33] },
  { history: [39, 0, 12, 7, 7, 21, 5], times: [1, 2, 3, 4, 5, 6, 7], candidates: [11, 38, 19] },
  { history: [30, 31], candidates: [32], context: { device: 'phone' } },
];

const same = (got: readonly Scored[], wanted: readonly Scored[], tolerance = TOLERANCE): void => {
  assert.equal(got.length, wanted.length);
  for (const [i, { scores, gates }] of got.entries()) {
    close([...scores], [...wanted[i]!.scores], tolerance);
    close([...(gates ?? [])], [...(wanted[i]!.gates ?? [])], tolerance);
  }
};

let world: World;
before(async () => {
  world = await makeWorld();
});

for (const method of METHODS as readonly Method[])
  describe(`${method.name} as a recommender`, () => {
    let run: Run;
    before(() => {
      run = world.runs.get(method.name)!;
    });
    const score = (asked: readonly CandidateQuery[]) => run.recommender.score(asked);

    it('gives one finite score per candidate, and gates that sum to 1 where it has some', async () => {
      const scored = await score(queries);
      assert.deepEqual(
        scored.map(({ scores }) => scores.length),
        queries.map(({ candidates }) => candidates.length),
      );
      for (const { scores, gates } of scored) {
        assert.ok(scores.every(Number.isFinite));
        if (gates !== undefined) close([gates.reduce((sum, gate) => sum + gate, 0)], [1], 1e-5);
      }
      assert.deepEqual(await score([]), []);
    });

    const why = method.exceptions?.['candidate-order'];
    it('scores do not depend on the order of the candidates', { skip: why ?? false }, async () => {
      const turned = queries.map((query) => ({
        ...query,
        candidates: query.candidates.toReversed(),
      }));
      const wanted = (await score(queries)).map((each) => ({
        ...each,
        scores: each.scores.toReversed(),
      }));
      same(await score(turned), wanted);
    });

    it('scores do not depend on the other queries, nor on their order', async () => {
      const all = await score(queries);
      const alone = await Promise.all(queries.map(async (query) => (await score([query]))[0]!));
      same(alone, all);
      same(await score(queries.toReversed()), all.toReversed());
    });

    it('the same queries get the same bits again', async () => {
      assert.deepEqual(await score(queries), await score(queries));
    });

    it('the same settings train to the same bits', async () => {
      const settings = smallSettings(method, world.dataset, join(temporaryFolder(), 'again'));
      const { dataset, basePath } = world;
      const again = await trainRun(settings, { shared: { dataset }, basePath }, hooks());
      assert.deepEqual(await again.recommender.score(queries), await score(queries));
    });

    it('an opened run gives the scores of the trained one', async () => {
      const { dataset, basePath } = world;
      const opened = await openRun(run.folder.path, { shared: { dataset }, basePath });
      assert.deepEqual(await opened.recommender.score(queries), await score(queries));
      assert.ok([...opened.model.state().values()].every(({ requiresGrad }) => !requiresGrad));
      assert.deepEqual(opened.record, JSON.parse(JSON.stringify(run.record)));
    });

    it('stops when it is told to', async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(run.recommender.score(queries, { signal }), { name: 'AbortError' });
    });

    it('tells how far it is, up to the last query', async () => {
      const done: number[] = [];
      await run.recommender.score(queries, { onProgress: (count) => done.push(count) });
      assert.equal(done.at(-1), queries.length);
      assert.deepEqual(
        done,
        done.toSorted((a, b) => a - b),
      );
    });

    it('refuses items outside the catalog, in history and among candidates', async () => {
      const { size } = world.dataset.catalog;
      for (const item of [size, -1, 1.5, Number.NaN]) {
        const wrong = [
          { history: [item, 1], candidates: [2] },
          { history: [1], candidates: [item] },
        ];
        for (const query of wrong) {
          const text = JSON.stringify(query);
          await assert.rejects(score([query]), { code: 'data', message: /expected an item/ }, text);
        }
      }
    });

    it('handles items that training never saw, and histories longer than the window', async () => {
      const seen = new Set(
        [...world.dataset.sequencesOf('train')].flatMap(({ items }) => [...items]),
      );
      const cold = world.dataset.catalog.items.map(({ id }) => id).filter((id) => !seen.has(id));
      assert.ok(cold.length > 5);
      const long = Array.from({ length: 200 }, (_, i) => i % 40);
      const scored = await score([
        { history: cold.slice(0, 3), candidates: cold.slice(3, 6) },
        { history: long, candidates: [1, 2] },
      ]);
      for (const { scores } of scored) assert.ok(scores.every(Number.isFinite));
    });

    it('answers to an empty history with scores, or says that it needs an item', async () => {
      const query = { history: [], candidates: [1, 2, 3] };
      try {
        const [scored] = await score([query]);
        assert.ok(scored?.scores.length === 3 && scored.scores.every(Number.isFinite));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'data');
        assert.match((error as Error).message, /expected at least one item/);
      }
    });

    it('leaves no tensor alive', () =>
      leaksNothing(async () => {
        for (let i = 0; i < 3; i++) await score(queries);
      }));
  });
