import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from '../../../src/cli/data-report.js';

test('columns align, whatever titles are made of', () => {
  assert.deepEqual(
    table([
      ['title', 'n'],
      ['東京物語', '1'],
      ['Ame\u0301lie', '2'],
      ['a\u001b[2J', '3'],
    ]),
    ['  title       n', '  東京物語    1', '  Ame\u0301lie      2', '  a\\u001b[2J  3'],
  );
});
