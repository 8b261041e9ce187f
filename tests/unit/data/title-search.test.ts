/**
 * Titles typed from memory find their item, and doubt is shown.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TitleSearch } from '../../../src/data/index.js';

const titles = ['The Lion Tamer', 'Lion Heart', 'Amélie’s Café', 'Robot 2', 'Robot', 'Night, A'];
const items = titles.map((title, id) => ({
  id,
  title,
  sourceTitle: title,
  sourceId: String(id),
  attributes: {},
}));
const search = new TitleSearch(items);
const find = (query: string) => {
  const match = search.find(query);
  return [match.kind, match.items.map(({ id }) => id)];
};

describe('TitleSearch', () => {
  it('takes the title itself', () => assert.deepEqual(find('robot'), ['exact', [4]]));
  it('moves articles and ignores years', () => {
    assert.deepEqual(find('Lion Tamer, The (1999)'), ['close', [0]]);
    assert.deepEqual(find('a night'), ['close', [5]]);
  });
  it('ignores accents and punctuation', () =>
    assert.deepEqual(find('amelies cafe'), ['close', [2]]));
  it('takes a unique beginning or part', () => assert.deepEqual(find('heart'), ['close', [1]]));
  it('forgives a slip', () => assert.deepEqual(find('lion haert'), ['close', [1]]));
  it('shows what a title could be', () => {
    const [kind, ids] = find('lion');
    assert.equal(kind, 'close', 'only one title begins with it');
    assert.deepEqual(ids, [1]);
    assert.deepEqual(find('the'), ['close', [0]]);
    assert.deepEqual(
      new TitleSearch(items.slice(3, 5).concat(items[3] as (typeof items)[0])).find('robot 2').kind,
      'ambiguous',
    );
  });
  it('does not guess at strangers', () => assert.deepEqual(find('xyzzy plugh'), ['unknown', []]));
  it('finds nothing for nothing', () => assert.equal(search.find('  ').kind, 'unknown'));
});

it('takes a title typed exactly even one of signs only', () => {
  const items = ['🎬', '★', '!!!', 'A;B'].map((title, id) => ({
    id,
    title,
    sourceTitle: title,
    sourceId: String(id),
    attributes: {},
  }));
  const search = new TitleSearch(items);
  for (const [id, { title }] of items.entries()) {
    const { kind, items: found } = search.find(` ${title} `);
    assert.equal(kind, 'exact');
    assert.deepEqual(found, [items[id]]);
  }
  const none = search.find('☃');
  assert.deepEqual(none, { query: '☃', kind: 'unknown', items: [] });
});
