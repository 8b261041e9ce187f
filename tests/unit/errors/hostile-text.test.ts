/** Messages about names and values that a file gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults, mismatch } from '../../../src/errors/index.js';

test('what moves a cursor or turns the writing is spelled out', () => {
  const { message } = mismatch('format', {
    where: 'a.gguf: \u001b[2Jname\u202e\u009b',
    expected: 'x\ny',
    got: 'z\u2066',
  });
  assert.equal(message, 'a.gguf: \\u001b[2Jname\\u202e\\u009b: expected x\\u000ay, got "z\\u2066"');
});

test('a name of a megabyte keeps beginning and end', () => {
  const { message, details } = mismatch('format', {
    where: `a.gguf: ${'n'.repeat(1 << 20)}: type`,
    expected: 'a known type',
    got: 99,
  });
  assert.ok(message.length < 1200);
  assert.match(message, /^a\.gguf: n+ \.\.\. n+: type: expected a known type, got 99$/);
  assert.equal((details.where as string).length, (1 << 20) + 14);
});

test('of many faults fifty are shown and all are counted', () => {
  const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`);
  const { message, details } = faults('format', 'file', lines);
  assert.equal(message.split('\n').length, 52);
  assert.match(
    message,
    /^file: 60 problems\n {2}line 0\n(?:.*\n)* {2}line 49\n {2}\.\.\. and 10 more$/,
  );
  assert.deepEqual(details.faults, lines);
});
