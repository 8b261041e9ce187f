import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wrap } from '../../../src/audit/findings-table.js';
import type { Finding } from '../../../src/audit/index.js';
import { formatFindings } from '../../../src/audit/index.js';

const finding = (id: string, severity: Finding['severity'], isKnown = true): Finding => ({
  id,
  severity,
  isKnown,
  figures: {},
  figure: `${id} has a figure of many words that need more than one line in a narrow column`,
  message: 'it means something',
  advice: severity === 'info' ? '' : 'do something',
});

test('the worst stand first, and what is not known is said', () => {
  const text = formatFindings([
    finding('calm', 'info'),
    finding('dark', 'info', false),
    finding('bad', 'severe'),
    finding('odd', 'warning'),
  ]);
  const [header, , ...lines] = text.split('\n');
  assert.match(header!, /^finding +severity +figure +what it means +what to do$/);
  const named = lines
    .filter((line) => /^\S/.test(line))
    .map((line) => line.split(/ {2,}/).slice(0, 2));
  assert.deepEqual(named, [
    ['bad', 'severe'],
    ['odd', 'warning'],
    ['calm', 'info'],
    ['dark', 'not known'],
  ]);
  assert.ok(text.split('\n').every((line) => line.length <= 140));
});

test('wrapping loses no word and keeps lines short, but for words longer than a line', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
      fc.integer({ min: 1, max: 30 }),
      (words, width) => {
        const lines = wrap(words.join(' '), width);
        assert.equal(lines.join(' '), words.join(' '));
        for (const line of lines) assert.ok(line.length <= width || !line.includes(' '));
      },
    ),
  );
});

test('wide characters take two columns of a line', () => {
  assert.deepEqual(wrap('東京 大阪 京都', 9), ['東京 大阪', '京都']);
});
