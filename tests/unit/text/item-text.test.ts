/** An item as one line of text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributeLine, itemText } from '../../../src/text/index.js';

const attributes = { genres: ['Animation', 'Comedy'], release_year: 1995, note: 'a\nb' };
const item = { id: 7, title: 'Toy Story', attributes };

test('title and attributes stand on one line, names without underscores', () => {
  assert.equal(
    itemText(item),
    'Toy Story (genres: Animation, Comedy; release year: 1995; note: a b)',
  );
});

test('asked names are said in their order; absent ones and an item without any leave no brackets', () => {
  assert.equal(
    itemText(item, ['release_year', 'genres']),
    'Toy Story (release year: 1995; genres: Animation, Comedy)',
  );
  assert.equal(itemText(item, ['budget']), 'Toy Story');
  assert.equal(itemText({ id: 1, title: 'M' }), 'M');
  assert.equal(itemText({ id: 1, title: '\u200b' }), 'item 1');
});

test('what is long is cut, in text and on the page', () => {
  const long = {
    id: 1,
    title: 'M',
    attributes: { plot: 'x'.repeat(5000), more: 'y'.repeat(5000) },
  };
  assert.ok(itemText(long).length <= 1010);
  assert.match(itemText(long), /^M \(plot: x+…/);
  const line = attributeLine(long.attributes)!;
  assert.equal(line.length, 80);
  assert.ok(line.endsWith('…'));
});

test('for people attributes stand without names; nothing stands where there are none', () => {
  assert.equal(attributeLine(attributes), 'Animation, Comedy · 1995 · a b');
  assert.equal(attributeLine({}), undefined);
  assert.equal(attributeLine(undefined), undefined);
});
