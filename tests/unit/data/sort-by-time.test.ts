import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeSorter } from '../../../src/data/import/sort-by-time.js';
import { Random } from '../../../src/random/random.js';

/** Sorts rows in stretches of the given lengths and compares with JavaScript's own sort by a function. */
function check(times: readonly number[], places: readonly number[], lengths: readonly number[]) {
  const sorter = new TimeSorter();
  const rows = sorter.room(times.length);
  rows.times.set(times);
  rows.places.set(places);
  rows.items.set(times.map((_, i) => i));
  let first = 0;
  for (const length of lengths) {
    sorter.sort(first, first + length);
    const expected = Array.from({ length }, (_, i) => first + i).sort(
      (i, j) => times[i]! - times[j]! || places[i]! - places[j]!,
    );
    assert.deepEqual(Array.from(rows.items.subarray(first, first + length)), expected);
    assert.deepEqual(
      Array.from(rows.times.subarray(first, first + length)),
      expected.map((i) => times[i]),
    );
    first += length;
  }
  assert.equal(first, times.length);
}

const random = new Random(7, 'sort-by-time');
const lengths = [1, 2, 3, 17, 100, 0, 64, 1, 400];
const count = lengths.reduce((sum, length) => sum + length, 0);
const many = (value: () => number): number[] => Array.from({ length: count }, value);
const inOrder = Array.from({ length: count }, (_, i) => i);

test('whole times, ties by place', () => {
  check(
    many(() => 1_500_000_000 + random.int(50)),
    inOrder,
    lengths,
  );
  check(
    many(() => 1_500_000_000 + random.int(50)),
    Array.from(random.permutation(count)),
    lengths,
  );
});

test('times that are not whole, or too far apart to share a double with a row number', () => {
  const places = Array.from(random.permutation(count));
  check(
    many(() => random.int(40) / 8),
    places,
    lengths,
  );
  check(
    many(() => (random.int(9) - 4) * 2 ** 50),
    places,
    lengths,
  );
  check(
    many(() => (random.int(9) - 4) * 1e300),
    places,
    lengths,
  );
  check(
    many(() => -random.int(1000)),
    places,
    lengths,
  );
});

test('rows in order stay, rows in reverse turn', () => {
  check(inOrder, inOrder, lengths);
  check([...inOrder].reverse(), inOrder, lengths);
  check([...inOrder].reverse(), [...inOrder].reverse(), lengths);
  check(
    many(() => 5),
    [...inOrder].reverse(),
    lengths,
  );
});
