import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchPublished, matchTitle } from '../../../src/evaluation/index.js';

const titles = ['Alien', 'Alien Nation', 'M', 'Toy Story', 'Full Monty, The'];

test('the published rule throws away a right answer that contains another title', () => {
  assert.equal(matchPublished('Alien Nation\n', ['Alien', 'Alien Nation', 'Heat']), undefined);
  assert.equal(matchPublished('  ALIEN nation \nmore', ['Heat', 'Alien Nation']), 1);
  assert.equal(matchPublished('Memento', ['M', 'Heat']), 0, 'one letter matches inside a word');
  assert.equal(matchPublished('Heat', ['', 'Heat']), undefined, 'an empty title is in every text');
});

test('our rule takes the exact title first and the longest otherwise', () => {
  assert.equal(matchTitle('Alien Nation', titles), 1);
  assert.equal(matchTitle('Alien', titles), 0);
  assert.equal(matchTitle('\n  the answer is  "alien   NATION".\nAlien', titles), 1);
  assert.equal(matchTitle('"Toy Story".', titles), 3);
  assert.equal(matchTitle('M', titles), 2);
});

test('our rule needs whole words, one title, and a non-empty one', () => {
  assert.equal(matchTitle('Memento', titles), undefined);
  assert.equal(matchTitle('Alien or Toy Story', titles), undefined);
  assert.equal(matchTitle('Alien Nation and Alien', titles), undefined, 'Alien stands apart, too');
  assert.equal(matchTitle('', [...titles, '']), undefined);
  assert.equal(matchTitle('none of these', ['', 'Heat']), undefined);
});

test('two candidates of one title make an answer ambiguous, not an accident of order', () => {
  assert.equal(matchTitle('Chasing Amy', ['Chasing Amy', 'chasing amy', 'Heat']), undefined);
});

test('Unicode form and accents: composed equals decomposed', () => {
  assert.equal(matchTitle('Café Del Mar', ['Air', 'Cafe\u0301 del mar']), 1);
});

test('a distinct title alone on the line always names itself', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 :,'-]{0,18}[A-Za-z0-9]$/);
  const key = (title: string) => title.toLowerCase().replace(/\s+/g, ' ');
  fc.assert(
    fc.property(
      fc.uniqueArray(word, { minLength: 1, maxLength: 20, selector: key }),
      fc.nat(),
      (candidates, pick) => {
        const index = pick % candidates.length;
        assert.equal(matchTitle(`${candidates[index]}\nrest`, candidates), index);
      },
    ),
  );
});
