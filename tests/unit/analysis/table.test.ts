import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEvaluationTable, formatTable } from '../../../src/analysis/index.js';
import { evaluateGenerated } from '../../../src/evaluation/index.js';
import { sampleReport } from './helper.js';

test('columns line up, numbers to the right, nothing behind the last cell', () => {
  const columns = [
    { header: 'name' },
    { header: 'n', align: 'right' as const },
    { header: 'note' },
  ];
  assert.equal(
    formatTable(columns, [
      ['a', '10', 'x'],
      ['long name', '9'],
    ]),
    ['name        n  note', '───────────────────', 'a          10  x', 'long name   9'].join('\n'),
  );
});

test('wide characters and combining marks keep the columns straight', () => {
  const lines = formatTable(
    [{ header: 't' }, { header: 'n' }],
    [
      ['東京', '1'],
      ['Cafe\u0301', '2'],
      ['한국', '3'],
      ['ｶﾞｽ', '4'],
      ['👩‍🚀', '5'],
    ],
  ).split('\n');
  assert.deepEqual(lines.slice(2), ['東京  1', 'Cafe\u0301  2', '한국  3', 'ｶﾞｽ   4', '👩‍🚀    5']);
  assert.equal(lines[1], '─'.repeat(4 + 2 + 1));
});

test('a cell cannot add lines, move the cursor or turn the direction of writing', () => {
  const table = formatTable(
    [{ header: 't' }, { header: 'n' }],
    [
      ['a\nb\x1b[2J\u202e', '1'],
      ['c', '2'],
    ],
  );
  assert.equal(table.split('\n')[2], 'a\\u000ab\\u001b[2J\\u202e  1');
  assert.equal(table.split('\n').length, 4);
});

test('one line per method; a dash where a method cannot tell', async () => {
  const { methods } = await sampleReport(20);
  const scored = methods[0]!.evaluation;
  const generated = evaluateGenerated({
    method: 'text',
    trainableParameters: 5,
    instances: scored.outcomes.map(({ row, user, target, candidates }) => ({
      split: 'test' as const,
      row,
      user,
      target,
      candidates,
      history: [],
    })),
    texts: scored.outcomes.map(() => 'item 0'),
    titleOf: (item) => `item ${item}`,
    seconds: 1,
  });
  const lines = formatEvaluationTable([scored, generated]).split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines[2]!, /^ilora .*1,221,376/);
  assert.match(lines[3]!, /^text .*20\/20 +1\.000 +– +– +5 +50 ms$/);
});
