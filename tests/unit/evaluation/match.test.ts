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
  assert.equal(
    matchPublished('Heat', ['Fargo', ' Heat ']),
    1,
    'spaces around a title do not count',
  );
});

test('our rule takes the exact title first and the longest otherwise', () => {
  assert.equal(matchTitle('Alien Nation', titles), 1);
  assert.equal(matchTitle('Alien', titles), 0);
  assert.equal(matchTitle('\n  the answer is  "alien   NATION".\nAlien', titles), 1);
  assert.equal(matchTitle('"Toy Story".', titles), 3);
  assert.equal(matchTitle('M', titles), 2);
});

test('quotes around the line are left out only where they are not part of the title', () => {
  assert.equal(matchTitle('"Heat"', ['Heat', '"Heat"']), 1);
  assert.equal(matchTitle('"Heat".', ['Heat', '"Heat"']), 0);
  assert.equal(matchTitle('"Heat".', ['Heat', '"Heat"', 'heat']), undefined);
});

test('spaces around a title do not count', () => {
  assert.equal(matchTitle('Heat', ['Fargo', ' Heat ']), 1);
  assert.equal(matchTitle('I say Heat', ['Fargo', ' Heat ']), 1);
});

test('a title within a longer one does not count, wherever in it', () => {
  const candidates = ['Nation', 'Alien Nation', 'Alien', 'n N'];
  assert.equal(matchTitle('the answer is Alien Nation', candidates), 1);
  assert.equal(matchTitle('Wow!! it is', ['!', 'Wow!']), undefined, 'the second ! stands apart');
});

test('our rule needs whole words, one title, and a non-empty one', () => {
  assert.equal(matchTitle('Memento', titles), undefined);
  assert.equal(matchTitle('a Cheat', ['Heat']), undefined);
  assert.equal(matchTitle('Heat is my answer', ['Heat']), 0, 'a word may begin the line');
  assert.equal(matchTitle('my answer is Heat', ['Heat']), 0, 'or end it');
  assert.equal(matchTitle('see x.hack now', ['.hack']), 0, 'a sign ends the word before it');
  assert.equal(matchTitle('Help!me now', ['Help!']), 0, 'and the word behind it');
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
