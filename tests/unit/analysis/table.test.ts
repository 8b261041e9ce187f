import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeMeasuring,
  formatEvaluationTable,
  formatTable,
} from '../../../src/analysis/index.js';
import { evaluate, evaluateGenerated, meanOf } from '../../../src/evaluation/index.js';
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
  assert.equal(lines.length, 5);
  assert.equal(lines[0], 'protocol window: the last items of a history');
  assert.match(
    lines[1]!,
    /^method +HR@1 +95% interval +hits +NDCG@10 +MRR +ValidRatio +parameters/,
  );
  assert.match(lines[3]!, /^ilora .*1,221,376/);
  assert.match(lines[4]!, /^text .*20\/20 +– +– +1\.000 +5 +50 ms$/);
});

test('a table over catalogs says more, and how its intervals were made', async () => {
  const instance = {
    split: 'test' as const,
    row: 0,
    user: 'u',
    history: [3],
    target: 0,
    candidates: [0, 1],
    pool: 4,
  };
  const recommender = {
    name: 'mine',
    trainableParameters: 1,
    score: async () => [{ scores: [2, 1, 3, 9, 0] }],
  };
  const options = { catalogSize: 5, protocol: 'history' as const };
  const evaluation = await evaluate(recommender, [instance], options);
  const [protocol, header, , line] = formatEvaluationTable([evaluation]).split('\n');
  assert.match(protocol!, /^protocol history: whole histories/);
  assert.match(header!, /expected HR@1 +95% interval +NDCG@10.*catalog HR@10.*recall@50/);
  // One of four others is ahead; one is drawn.
  assert.match(line!, /^mine +1\.000 +0\.207–1\.000 +1\/1 +0\.750 +0\.750–0\.750 /);
  assert.deepEqual(describeMeasuring([evaluation]), [
    'Intervals: of HR@1 by Wilson; of expected HR@1 by a bootstrap of whole users.',
    'Expected: the mean over all draws of candidates. Catalog and recall: among all 5 items outside the history.',
    'What a user has had is no answer: that took out 0 candidates (0.0 % of all but the targets) and the targets of 0 of 1 rows, which count as missed.',
  ]);
  const { filter: _, ...other } = evaluation;
  assert.throws(() => formatEvaluationTable([evaluation, { ...other, protocol: 'window' }]), {
    code: 'data',
    message: /table: expected evaluations of the protocol history only, got "window"/,
  });
});

test('where intervals of one metric are of two kinds, those of fewer seeds are named', async () => {
  const { methods } = await sampleReport(20);
  const [one, two] = methods.map(({ evaluation }) => evaluation);
  const mean = meanOf([two!, { ...two!, seconds: 1 }]);
  assert.equal(
    describeMeasuring([one!, mean])[0],
    'Intervals: of HR@1 (ilora) by Wilson; of HR@1 (lora) by a bootstrap of whole users.',
  );
  assert.match(formatEvaluationTable([one!, mean]).split('\n')[4]!, /^lora .* 2, ±0\.000 /);
});
