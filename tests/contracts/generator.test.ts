/** What every text generator and every reader of titles keeps, over the registry. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { CandidateQuery } from '../../src/data/index.js';
import { METHODS, type Method, type Model } from '../../src/recommenders/index.js';
import { engineThreads } from '../../src/tensor/index.js';
import { leaksNothing } from '../support/leak.js';
import { makeWorld, type World } from './world.js';

engineThreads(1);

const queries: readonly CandidateQuery[] = [
  { history: [1, 2, 3], candidates: [4, 9, 17] },
  { history: [8], candidates: [2, 33] },
];

let world: World;
before(async () => {
  world = await makeWorld();
});

const having = (name: 'generator' | 'titleReader'): readonly Method[] =>
  (METHODS as readonly Method[]).filter(({ capabilities }) => capabilities.includes(name));

for (const { name } of having('generator'))
  describe(`${name} as a text generator`, () => {
    let generator: NonNullable<Model['generator']>;
    before(() => {
      generator = world.runs.get(name)!.model.generator!;
    });

    it('gives one line per query, the same again, whatever else is asked', async () => {
      const texts = await generator.generate(queries);
      assert.equal(texts.length, queries.length);
      for (const text of texts) assert.doesNotMatch(text, /\n/);
      assert.deepEqual(await generator.generate(queries), texts);
      for (const [i, query] of queries.entries())
        assert.deepEqual(await generator.generate([query]), [texts[i]]);
      assert.deepEqual(await generator.generate([]), []);
    });

    it('knows the titles as the model sees them, and of the catalog only', () => {
      const [first] = world.dataset.catalog.items;
      assert.equal(generator.titleOf(0), first?.title);
      assert.throws(() => generator.titleOf(world.dataset.catalog.size), { code: 'data' });
    });

    it('stops when it is told to, and leaves no tensor alive', async () => {
      const signal = AbortSignal.abort();
      await assert.rejects(generator.generate(queries, { signal }), { name: 'AbortError' });
      await leaksNothing(() => generator.generate(queries));
    });
  });

for (const { name } of having('titleReader'))
  describe(`${name} as a reader of titles`, () => {
    it('scores alike under the same titles, and otherwise under another', async () => {
      const { recommender, titleReader } = world.runs.get(name)!.model;
      const [query] = queries as [CandidateQuery];
      const items = [...query.history, ...query.candidates];
      const titles = new Map(items.map((item) => [item, world.dataset.catalog.items[item]!.title]));
      const wanted = await recommender.score([query]);
      assert.deepEqual(await titleReader!.withTitles(titles).score([query]), wanted);
      const changed = new Map(titles).set(9, 'Something Else Entirely');
      assert.notDeepEqual(await titleReader!.withTitles(changed).score([query]), wanted);
    });
  });
