/** Drawing candidates, and finding fault with stored ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CandidateSampler } from '../../../src/data/candidates.js';
import type { Catalog } from '../../../src/data/index.js';
import { Random } from '../../../src/random/index.js';

/** Items with these titles. */
function catalogOf(titles: readonly string[]): Catalog {
  const items = titles.map((title, id) => ({
    id,
    title,
    sourceTitle: title,
    sourceId: `${id}`,
    attributes: {},
  }));
  return { items, size: items.length };
}

const numbered = (size: number, titleOf = (item: number) => `Title ${item}`): Catalog =>
  catalogOf(Array.from({ length: size }, (_, item) => titleOf(item)));

test('a draw has the target once and different negatives outside the history, draw after draw', () => {
  const cases = fc.record({
    size: fc.integer({ min: 8, max: 60 }),
    count: fc.integer({ min: 2, max: 5 }),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(cases, ({ size, count, seed }) => {
      const sampler = new CandidateSampler(numbered(size), count);
      const random = new Random(seed, 'test');
      for (let draw = 0; draw < 20; draw++) {
        const history = [random.int(size), random.int(size), random.int(size)];
        const target = random.int(size);
        const drawn = sampler.draw(history, target, random);
        assert.equal(drawn.length, count);
        assert.equal(new Set(drawn).size, count);
        assert.ok(drawn.includes(target));
        assert.ok(drawn.every((item) => item === target || !history.includes(item)));
        assert.ok(drawn.every((item) => item >= 0 && item < size));
        assert.equal(sampler.fault(drawn, history, target), null);
      }
    }),
    { numRuns: 60 },
  );
});

test('a target that is in the history, too, is a candidate', () => {
  const sampler = new CandidateSampler(numbered(5), 3);
  for (let seed = 0; seed < 20; seed++) {
    const drawn = sampler.draw([1, 2], 2, new Random(seed, 'test'));
    assert.ok(drawn.includes(2) && !drawn.includes(1));
  }
});

test('negatives are uniform over the items left, and the target comes at any place', () => {
  const sampler = new CandidateSampler(numbered(12), 3);
  const seen = new Array<number>(12).fill(0);
  const places = [0, 0, 0];
  const random = new Random(1, 'test');
  const draws = 9000;
  for (let draw = 0; draw < draws; draw++) {
    const drawn = sampler.draw([0, 1], 2, random);
    for (const item of drawn) seen[item]!++;
    places[drawn.indexOf(2)]!++;
  }
  assert.deepEqual(seen.slice(0, 3), [0, 0, draws]);
  // Two of nine: 2000 times each, 40 at most of one deviation; five of them.
  for (const times of seen.slice(3)) assert.ok(Math.abs(times - 2000) < 200, seen.join());
  for (const times of places) assert.ok(Math.abs(times - 3000) < 225, places.join());
});

test('items of one title, letter case aside, never meet: not with the target, not with each other', () => {
  const catalog = catalogOf(['Heat', 'HEAT', 'Alien', 'alien', 'Fargo', 'M', 'Ran', 'Jaws']);
  const sampler = new CandidateSampler(catalog, 5);
  for (let seed = 0; seed < 60; seed++) {
    const drawn = sampler.draw([7], seed % 7, new Random(seed, 'test'));
    const titles = drawn.map((item) => catalog.items[item]!.title.toLowerCase());
    assert.equal(new Set(titles).size, 5, titles.join());
    assert.equal(sampler.fault(drawn, [7], seed % 7), null);
  }
});

test('a catalog with just enough items gives them all, one less is refused', () => {
  const sampler = new CandidateSampler(numbered(300), 290);
  const history = Array.from({ length: 10 }, (_, i) => i);
  const drawn = sampler.draw(history, 299, new Random(1, 'test'));
  assert.deepEqual(
    drawn.sort((a, b) => a - b),
    Array.from({ length: 290 }, (_, i) => 10 + i),
  );
  assert.throws(() => sampler.draw([...history, 10], 299, new Random(1, 'test')), {
    code: 'data',
    message:
      'candidates: expected 290 items with different titles outside the history, got 289 — ask for fewer candidates per row',
  });
});

test('where titles repeat, a catalog with just enough titles gives one item of each', () => {
  const catalog = numbered(40, (item) => `Title ${item % 10}`);
  const sampler = new CandidateSampler(catalog, 10);
  for (let seed = 0; seed < 20; seed++) {
    const drawn = sampler.draw([], 7, new Random(seed, 'test'));
    assert.deepEqual(
      drawn.map((item) => item % 10).sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.ok(drawn.includes(7));
  }
});

test('where nearly all is history, the few items left are found', () => {
  const left = [3, 700, 1999];
  const history = Array.from({ length: 2000 }, (_, i) => i).filter((item) => !left.includes(item));
  const sampler = new CandidateSampler(numbered(2000), 2);
  const seen = new Set<number>();
  for (let seed = 0; seed < 20; seed++) {
    const drawn = sampler.draw(history, 700, new Random(seed, 'test'));
    assert.equal(drawn.length, 2);
    assert.ok(drawn.includes(700) && drawn.every((item) => left.includes(item)));
    for (const item of drawn) seen.add(item);
  }
  assert.equal(seen.size, 3, 'either of the other two');
});

test('the candidates of a seed are the same in every version', () => {
  const drawOf = (catalog: Catalog, count: number, history: number[] = [3, 5]): number[] =>
    new CandidateSampler(catalog, count).draw(history, 8, new Random(11, 'candidates', 4, 2));
  // Frozen splits and the figures reported on them rest on these.
  assert.deepEqual(drawOf(numbered(40), 6), [33, 21, 19, 8, 36, 25]);
  assert.deepEqual(drawOf(numbered(9), 7), [7, 6, 8, 2, 0, 4, 1]);
  const crowded = Array.from({ length: 1900 }, (_, i) => i + 9);
  assert.deepEqual(
    drawOf(numbered(1950), 20, crowded),
    [
      1914, 2, 1944, 5, 1949, 6, 1935, 1913, 0, 1916, 1911, 1943, 1929, 8, 1942, 1909, 1918, 1938,
      1928, 1946,
    ],
  );
});

test('what is wrong with stored candidates is said with the item', () => {
  const catalog = catalogOf(['Heat', 'HEAT', 'Alien', 'Fargo', 'M', 'Ran']);
  const sampler = new CandidateSampler(catalog, 3);
  const fault = (candidates: readonly number[]): string | null =>
    sampler.fault(candidates, [3, 4], 2);
  assert.equal(fault([0, 2, 5]), null);
  assert.equal(fault([2, 5]), 'expected 3 candidates, got 2');
  assert.equal(fault([2, 5, 0, 1]), 'expected 3 candidates, got 4');
  for (const item of [-1, 6, 0.5, Number.NaN])
    assert.equal(fault([2, 5, item]), `expected item ids in [0, 6), got ${item}`);
  assert.equal(fault([2, 5, 5]), 'expected different items, got 5 twice');
  assert.equal(fault([0, 1, 2]), 'expected different titles, got "HEAT" twice');
  assert.equal(fault([2, 5, 3]), 'expected negatives outside the history, got 3');
  assert.equal(fault([4, 2, 5]), 'expected negatives outside the history, got 4');
  assert.equal(fault([0, 4, 5]), 'expected negatives outside the history, got 4');
  assert.equal(fault([0, 5, 1]), 'expected different titles, got "HEAT" twice');
  const few = new CandidateSampler(catalog, 2);
  assert.equal(few.fault([0, 5], [3], 2), 'expected the target 2 among them, got none');
  assert.equal(few.fault([3, 5], [3], 3), null, 'the target may be in the history');
});

test('a check knows nothing of the check or the draw before it', () => {
  const sampler = new CandidateSampler(numbered(6), 3);
  for (const candidates of [
    [0, 1, 2],
    [2, 1, 0],
    [3, 4, 5],
  ]) {
    assert.equal(sampler.fault(candidates, [], candidates[0]!), null);
    const drawn = sampler.draw([0, 1, 2], 3, new Random(1, 'test'));
    assert.deepEqual(
      drawn.sort((a, b) => a - b),
      [3, 4, 5],
    );
  }
  assert.match(sampler.fault([0, 1, 2], [], 3) ?? '', /target 3/);
});
