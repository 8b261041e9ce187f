import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  SequenceStore,
  splitSequences,
  publishedWindow as window,
} from '../../../src/data/index.js';

/** Sequences of users with the given times, items counting from 0. */
function store(times: readonly (readonly number[])[]): SequenceStore {
  const sequences = new SequenceStore(true);
  for (const [user, own] of times.entries()) sequences.add(`u${user}`, [...own.keys()], own);
  return sequences;
}

test('leave-one-out holds out the last two items of every sequence', () => {
  const split = splitSequences(
    store([
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4],
      [1, 2, 3],
    ]),
    {
      rule: 'leave-one-out',
      window,
    },
  );
  assert.deepEqual(split.train.ranges, [{ sequence: 0, first: 3, last: 3 }]);
  assert.deepEqual(split.validation.ranges, [{ sequence: 0, first: 4, last: 4 }]);
  assert.deepEqual(split.test.ranges, [
    { sequence: 0, first: 5, last: 5 },
    { sequence: 1, first: 3, last: 3 },
  ]);
});

test('by-user orders users by first time; short ones get no rows', () => {
  const starts = [50, 10, 20, 30, 40, 60, 70, 80, 90, 100];
  const sequences = store([...starts.map((t) => [t, t + 1, t + 2, t + 3, t + 4]), [1, 2, 3]]);
  const split = splitSequences(sequences, { rule: 'by-user', window });
  assert.equal(split.train.rows, 16);
  assert.deepEqual(split.validation.ranges, [{ sequence: 8, first: 4, last: 4 }]);
  assert.deepEqual(split.test.ranges, [{ sequence: 9, first: 4, last: 4 }]);
});

test('by-time never trains on a target as late as a validation or test target', () => {
  const ascending = fc
    .array(fc.integer({ min: 0, max: 50 }), { maxLength: 20 })
    .map((times) => times.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.array(ascending, { maxLength: 12 }), (times) => {
      const split = splitSequences(store(times), { rule: 'by-time', window });
      const targets = (name: 'train' | 'validation' | 'test'): number[] =>
        Array.from({ length: split[name].rows }, (_, row) => {
          const { sequence, position } = split[name].window(row);
          return times[sequence]![position]!;
        });
      const [train, validation, held] = [targets('train'), targets('validation'), targets('test')];
      assert.ok(Math.max(...train, -1) < Math.min(...validation, ...held, 99));
      assert.ok(Math.max(...validation, -1) < Math.min(...held, 99));
      const all = times.reduce((sum, own) => sum + Math.max(0, own.length - 3), 0);
      assert.equal(train.length + validation.length + held.length, all);
    }),
  );
});

test('fractions that make no sense and by-time without times are refused', () => {
  assert.throws(
    () => splitSequences(store([]), { rule: 'by-user', window, fractions: [0, 1, 1] }),
    /expected three numbers, the first and the last above 0, such as 8:1:1, got "0:1:1"/,
  );
  assert.throws(
    () => splitSequences(new SequenceStore(false), { rule: 'by-time', window }),
    /expected interactions with times/,
  );
});
