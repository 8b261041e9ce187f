import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanTitle, tidyTitle, titleKey } from '../../../src/data/index.js';

test('published titles lose the year and move the article to the front', () => {
  for (const [from, to] of [
    ['Toy Story (1995)', 'Toy Story'],
    ['Full Monty, The (1997)', 'The Full Monty'],
    ['Ideal Husband, An (1999)', 'An Ideal Husband'],
    ['Farewell to Arms, A (1932)', 'A Farewell to Arms'],
    ['Cry, the Beloved Country (1995)', 'Cry, the Beloved Country'],
    ['Good, The Bad and The Ugly, The (1966)', 'The Good, The Bad and The Ugly'],
    ['Tin Drum, The (Blechtrommel, Die) (1979)', 'The Tin Drum (Blechtrommel, Die)'],
    ['Die xue shuang xiong (Killer, The) (1989)', 'Die xue shuang xiong (Killer, The)'],
    ['unknown', 'unknown'],
    [
      'Land Before Time III: The Time of the Great Giving (1995) (V)',
      'Land Before Time III: The Time of the Great Giving',
    ],
    ['Seven (Se7en) (1995)', 'Seven (Se7en)'],
    ['(1995)', '(1995)'],
  ] as const)
    assert.equal(cleanTitle(from, 'published'), to);
});

test('raw titles only become one tidy line', () => {
  assert.equal(cleanTitle(' Full\tMonty,  The (1997)\n', 'raw'), 'Full Monty, The (1997)');
  assert.equal(tidyTitle('a\u0000b'), 'a b');
  assert.equal(titleKey(' ALIEN '), titleKey('Alien'));
});
