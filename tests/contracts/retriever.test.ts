/** What every retriever keeps, over the registry. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RetrievalQuery } from '../../src/data/index.js';
import { METHODS, type Method, type Retriever } from '../../src/recommenders/index.js';
import { engineThreads } from '../../src/tensor/index.js';
import { leaksNothing } from '../support/leak.js';
import { close } from '../support/numeric.js';
import { makeWorld, type World } from './world.js';

engineThreads(1);

const queries: readonly RetrievalQuery[] = [
  { history: [1, 2, 3], count: 5 },
  { history: [8], count: 1 },
  { history: [39, 0, 12, 7, 7, 21, 5], count: 10, includesHistory: true },
  { history: [30, 31], count: 1000 },
];

let world: World;
before(async () => {
  world = await makeWorld();
});

const methods = (METHODS as readonly Method[]).filter(({ capabilities }) =>
  capabilities.includes('retriever'),
);

for (const { name } of methods)
  describe(`${name} as a retriever`, () => {
    let retriever: Retriever;
    before(() => {
      retriever = world.runs.get(name)!.model.retriever!;
    });

    it('gives so many different items of the catalog, best first, none of the history unless asked', async () => {
      const { size } = world.dataset.catalog;
      for (const [i, { items, scores }] of (await retriever.retrieve(queries)).entries()) {
        const { history, count, includesHistory = false } = queries[i]!;
        const most = includesHistory ? size : size - new Set(history).size;
        assert.equal(items.length, Math.min(count, most));
        assert.equal(scores.length, items.length);
        assert.equal(new Set(items).size, items.length);
        assert.ok(items.every((item) => Number.isInteger(item) && item >= 0 && item < size));
        assert.deepEqual(
          [...scores],
          scores.toSorted((a, b) => b - a),
        );
        if (!includesHistory) assert.ok(items.every((item) => !history.includes(item)));
      }
    });

    it('gives the items that score best, with the scores that scoring gives them', async () => {
      const { recommender } = world.runs.get(name)!;
      const [query] = queries as [RetrievalQuery];
      const catalog = world.dataset.catalog.items.map(({ id }) => id);
      const candidates = catalog.filter((item) => !query.history.includes(item));
      const [scored] = await recommender.score([{ history: query.history, candidates }]);
      const best = scored!.scores.toSorted((a, b) => b - a).slice(0, query.count);
      const [found] = await retriever.retrieve([query]);
      close([...found!.scores], best, 1e-5);
      const own = found!.items.map((item) => scored!.scores[candidates.indexOf(item)]!);
      close(own, best, 1e-5);
    });

    it('does not depend on the other queries', async () => {
      const all = await retriever.retrieve(queries);
      for (const [i, query] of queries.entries()) {
        const [alone] = await retriever.retrieve([query]);
        const { items, scores } = all[i]!;
        close([...alone!.scores], [...scores], 1e-5);
        // Items whose scores rounding alone tells apart may change places, and no others.
        const known = new Map(items.map((item, place) => [item, scores[place]!]));
        const others = alone!.items.map((item, place) => known.get(item) ?? alone!.scores[place]!);
        close(others, [...scores], 1e-5);
      }
      assert.deepEqual(await retriever.retrieve([]), []);
    });

    it('stops when it is told to, and tells how far it is', async () => {
      await assert.rejects(retriever.retrieve(queries, { signal: AbortSignal.abort() }), {
        name: 'AbortError',
      });
      let done = 0;
      await retriever.retrieve(queries, {
        onProgress: (count) => {
          done = count;
        },
      });
      assert.equal(done, queries.length);
    });

    it('refuses items outside the catalog', async () => {
      for (const item of [world.dataset.catalog.size, -1, 0.5])
        await assert.rejects(retriever.retrieve([{ history: [item], count: 2 }]), {
          code: 'data',
          message: /expected an item/,
        });
    });

    it('leaves no tensor alive', () =>
      leaksNothing(async () => {
        for (let i = 0; i < 3; i++) await retriever.retrieve(queries);
      }));
  });
