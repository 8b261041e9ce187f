import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { NumberList, readNumbers } from '../../../src/data/store/digits.js';
import { SequenceLineReader } from '../../../src/data/store/sequence-line.js';
import { TextBuffer, writeTextFile } from '../../../src/data/store/text-file.js';
import { temporaryFolder } from './helper.js';

test('numbers are written as JSON writes them', () => {
  const edges = [0, 9, 10, 99, 100, 999, 1000, 9999, 10_000, 99_999, 100_000, 2 ** 31, 2 ** 32];
  const more = [
    99_999_999,
    1e8,
    1e12,
    1e15 - 1,
    1e15,
    1e21,
    -0,
    -1,
    0.5,
    1e-7,
    2 ** 53,
    1.7e9 + 1 / 8,
  ];
  const number = fc.oneof(
    fc.constantFrom(...edges, ...more),
    fc.nat(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  fc.assert(
    fc.property(fc.array(number), (numbers) => {
      const out = new TextBuffer();
      out.text('[').numbers(numbers, ',').text(']');
      assert.equal(out.take().toString(), JSON.stringify(numbers));
      for (const one of numbers) out.number(one);
      assert.equal(out.take().toString(), numbers.map((one) => JSON.stringify(one)).join(''));
    }),
  );
});

test('a file is what was appended, however long its lines are, and the hash is its own', async () => {
  const path = join(temporaryFolder(), 'text');
  const long = Array.from({ length: 300_000 }, (_, i) => i * 7);
  const texts = ['é\n', '🙂'.repeat(400_000), '\n', 'end'];
  const hash = await writeTextFile(path, function* (out) {
    yield void out.numbers(long, ' ');
    for (const text of texts) yield void out.text(text);
  });
  const expected = long.join(' ') + texts.join('');
  assert.equal(readFileSync(path, 'utf8'), expected);
  assert.equal(hash, createHash('sha256').update(expected).digest('hex'));
});

test('lists of numbers are read up to their end, and nothing else is taken for one', () => {
  const list = new NumberList();
  const read = (text: string): [number, number[]] => [
    readNumbers(text, 1, ',', list),
    list.toArray(),
  ];
  assert.deepEqual(read('[12,0,345]'), [9, [12, 0, 345]]);
  assert.deepEqual(read('[999999999999999'), [16, [999_999_999_999_999]]);
  for (const text of ['[', '[]', '[1,', '[1,,2]', '[-1]', '[ 1]', '[1234567890123456]'])
    assert.equal(read(text)[0], -1, text);
  const many = Array.from({ length: 1000 }, (_, i) => i);
  assert.deepEqual(read(`[${many.join(',')}]`)[1], many);
});

test('a line of a sequence reads as its JSON does, however it is spelled', () => {
  const reader = new SequenceLineReader(50);
  const read = (text: string): unknown => {
    const { user, items, times } = reader.read(text, 'here');
    return { user, items: Array.from(items), ...(times && { times: Array.from(times) }) };
  };
  const user = fc.oneof(fc.string(), fc.constantFrom('","items":[1', '\\', '"', '\\","items":['));
  const pairs = fc.array(
    fc.tuple(
      fc.nat(49),
      fc.oneof(
        fc.nat(),
        fc.nat(99).map((n) => n / 4),
      ),
    ),
  );
  fc.assert(
    fc.property(user, pairs, fc.boolean(), fc.boolean(), (name, rows, hasTimes, isSpaced) => {
      const times = rows.map(([, time]) => time).sort((a, b) => a - b);
      const line = { user: name, items: rows.map(([item]) => item), ...(hasTimes && { times }) };
      assert.deepEqual(read(JSON.stringify(line, null, isSpaced ? 1 : 0)), line);
    }),
  );
  for (const [text, message] of [
    ['{"user":"a","items":[1,50]}', /expected item ids in \[0, 50\), got 50/],
    ['{"user":"a","items":[1,2],"times":[3]}', /expected 2 "times"/],
    ['{"user":"a","items":[1,2],"times":[3,2]}', /expected times as numbers, oldest first, got 2/],
    ['{"user":7,"items":[1]}', /expected a "user" in quotes, got 7/],
    ['{"user":"a","items":[1]}}', /expected a JSON object/],
    ['{"user":"a","items":[1]', /expected a JSON object/],
  ] as const)
    assert.throws(() => read(text), message);
});
