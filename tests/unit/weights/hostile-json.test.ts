/** JSON of model files that is made to be walked for long or deep. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStrictJson } from '../../../src/files/strict-json.js';

test('lists and objects lie at most five hundred deep', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ] as const) {
    const nested = (depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
    assert.doesNotThrow(() => parseStrictJson(nested(250), 'file'));
    assert.throws(() => parseStrictJson(nested(100_000), 'file'), {
      code: 'format',
      message: /^file: character \d+: expected at most 500 lists and objects in one another/,
    });
  }
});

test('a key may stand again in another object, also beside lists', () => {
  assert.deepEqual(parseStrictJson('{"a":[{"a":1},[{"a":2}]],"b":"a"}', 'file'), {
    a: [{ a: 1 }, [{ a: 2 }]],
    b: 'a',
  });
  assert.throws(() => parseStrictJson('{"b":[[],{"a":1,"c":[],"a":2}]}', 'file'), {
    code: 'format',
    message: /each key once, got "a twice"/,
  });
});
