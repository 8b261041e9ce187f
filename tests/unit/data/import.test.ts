import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { type ImportOptions, importInteractions, previewTable } from '../../../src/data/index.js';
import { fixtures, temporaryFolder } from './helper.js';

const at = (name: string): string => join(fixtures, name);
const movielens: ImportOptions = {
  interactions: at('ratings.csv'),
  items: at('movies.csv'),
  split: 'leave-one-out',
};

function sequencesOf({ draft }: Awaited<ReturnType<typeof importInteractions>>): unknown {
  return Array.from({ length: draft.sequences.size }, (_, i) => [
    draft.sequences.user(i),
    Array.from(draft.sequences.itemsOf(i), (item) => draft.items[item]!.sourceId).join(' '),
  ]);
}

function write(name: string, content: string | Buffer): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

test('columns of MovieLens-like files are found, sequences sorted by time and file order', async () => {
  const result = await importInteractions(movielens);
  assert.deepEqual(result.columns, {
    user: 'userId',
    item: 'movieId',
    time: 'timestamp',
    rating: 'rating',
    itemId: 'movieId',
    itemTitle: 'title',
  });
  assert.equal(result.timeUnit, 'seconds');
  assert.deepEqual(sequencesOf(result), [
    ['ann', '1 2 3 4 5'],
    ['bob', '5 2 3 4 1'],
  ]);
  assert.equal(result.draft.items[0]!.title, 'American President, The (1995)');
  assert.equal(result.draft.items[4]!.title, 'Say "Hi" (1999)');
  assert.deepEqual(result.draft.dropped, { itemsWithoutInteractions: 1 });
});

test('what filters leave out is counted', async () => {
  const { draft } = await importInteractions({ ...movielens, minRating: 4 });
  assert.equal(draft.sequences.interactions, 7);
  assert.equal(draft.dropped.belowMinRating, 3);
  const rare = await importInteractions({
    ...movielens,
    minRating: 4,
    minUserInteractions: 4,
    minItemInteractions: 1,
  });
  assert.equal(rare.draft.sequences.size, 1);
  assert.equal(rare.draft.dropped.rareUsersAndItems, 3);
});

test('bad rows are refused, each with its line', async () => {
  const options = { interactions: at('bad.csv'), items: at('movies.csv') };
  await assert.rejects(importInteractions(options), (error: Error) => {
    const lines = error.message.split('\n').map((line) => line.replace(`${fixtures}/`, '').trim());
    assert.deepEqual(lines, [
      'bad.csv: 7 bad rows',
      'bad.csv:3: expected 4 fields, got 3 in "ann,2,5"',
      'bad.csv:5: expected a time as Unix seconds or milliseconds or as ISO text such as 2024-05-01T12:00:00Z, got "soon"',
      'bad.csv:7: expected a user, got nothing',
      'bad.csv:8: expected 4 fields, got 5 in "ann,1,5,100,9"',
      'bad.csv:9: expected an item id of movies.csv, got "77"',
      'bad.csv:10: expected a rating as a number, got "five"',
      'bad.csv:11: expected an item id, got nothing',
      'correct them, or leave them out with --bad-rows skip',
    ]);
    return true;
  });
});

test('bad rows can be skipped; all are counted', async () => {
  const result = await importInteractions({
    interactions: at('bad.csv'),
    items: at('movies.csv'),
    badRows: 'skip',
    maxListed: 2,
  });
  assert.equal(result.badRows.count, 7);
  assert.equal(result.badRows.listed.length, 2);
  assert.equal(result.draft.dropped.badRows, 7);
  // The last row's time has a zone: 2001-09-09T01:46:40Z is 1e9 s.
  assert.deepEqual(Array.from(result.draft.sequences.timesOf(0)!), [100, 1e9]);
});

test('JSON lines: milliseconds are found, faults have their line, titles fall back to ids', async () => {
  await assert.rejects(importInteractions({ interactions: at('events.jsonl') }), (error: Error) => {
    assert.match(error.message, /events\.jsonl: 3 bad rows\n/);
    assert.match(error.message, /events\.jsonl:3: expected a JSON object/);
    assert.match(error.message, /events\.jsonl:4: expected an item id, got nothing/);
    assert.match(error.message, /events\.jsonl:6: expected a JSON object, got "\[1\]"/);
    return true;
  });
  const result = await importInteractions({ interactions: at('events.jsonl'), badRows: 'skip' });
  assert.equal(result.timeUnit, 'milliseconds');
  assert.deepEqual(Array.from(result.draft.sequences.timesOf(0)!), [1.7e9, 1_700_000_001]);
  assert.equal(result.draft.titles, 'ids');
  assert.deepEqual(
    result.draft.items.map(({ title }) => title),
    ['x', 'y'],
  );
});

test('Parquet gives what CSV gives', async () => {
  const path = join(temporaryFolder(), 'ratings.parquet');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    `COPY (SELECT "userId", "movieId", rating, to_timestamp("timestamp") AS "timestamp"
     FROM read_csv('${at('ratings.csv')}')) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  const parquet = await importInteractions({ ...movielens, interactions: path });
  const csv = await importInteractions(movielens);
  assert.deepEqual(sequencesOf(parquet), sequencesOf(csv));
  assert.deepEqual(parquet.draft.sequences.timesOf(0), csv.draft.sequences.timesOf(0));
  assert.equal(parquet.timeUnit, 'ISO text');
});

test('separators, headers, encodings, carriage returns and gzip', async () => {
  const rows = [1, 2, 3, 4].map((n) => `é;${n};${n}`);
  const named = { user: '1', item: '2', time: '3' };
  const text = `${rows.join('\r\n')}\r\nx;1\r\n`;
  for (const [path, encoding] of [
    [write('a.dat', text.replaceAll(';', '::')), 'utf-8'],
    [write('a.csv', Buffer.from(text, 'latin1')), 'latin-1'],
    [write('a.csv.gz', gzipSync(text)), 'utf-8'],
    [write('a.tsv', text.replaceAll(';', '\t')), 'utf-8'],
  ] as const) {
    const options: ImportOptions = {
      interactions: path,
      columns: named,
      text: { hasHeader: false, encoding },
    };
    await assert.rejects(importInteractions(options), /a\.\S+:5: expected 3 fields, got 2/);
    assert.deepEqual(sequencesOf(await importInteractions({ ...options, badRows: 'skip' })), [
      ['é', '1 2 3 4'],
    ]);
  }
});

test('columns that are not found are all named, with the flag that names them', async () => {
  await assert.rejects(importInteractions({ interactions: at('movies.csv') }), {
    code: 'usage',
    message:
      /2 problems\n {2}user: expected .* got \[movieId, title, genres\] — name it with --user-column\n {2}time:/,
  });
  await assert.rejects(
    importInteractions({ ...movielens, columns: { user: 'who' } }),
    /user: expected a column named "who", got \[userId, movieId, rating, timestamp\]/,
  );
});

test('files of other kinds are typed errors', async () => {
  await assert.rejects(importInteractions({ interactions: at('none.csv') }), { code: 'file' });
  await assert.rejects(importInteractions({ interactions: fixtures }), { code: 'file' });
  await assert.rejects(importInteractions({ interactions: write('a.xlsx', 'x') }), {
    code: 'usage',
  });
  await assert.rejects(importInteractions({ interactions: write('a.csv', '') }), {
    code: 'format',
  });
  await assert.rejects(importInteractions({ interactions: write('a.csv', 'a,a\n') }), {
    message: /column 2: expected a name of its own, got "a" again/,
  });
  await assert.rejects(importInteractions({ interactions: write('a.parquet', 'no parquet') }), {
    code: 'format',
  });
  await assert.rejects(importInteractions({ interactions: write('a.csv.gz', 'no gzip') }), {
    code: 'format',
  });
});

test('a preview shows columns, guesses and first rows', async () => {
  const preview = await previewTable(at('ratings.csv'), 2);
  assert.deepEqual(preview.columns, ['userId', 'movieId', 'rating', 'timestamp']);
  assert.equal(preview.guessed.user, 'userId');
  assert.deepEqual(preview.rows[1], ['ann', '2', '4', '200']);
});

test('a request to stop ends an import', async () => {
  await assert.rejects(importInteractions({ ...movielens, signal: AbortSignal.abort() }), {
    code: 'aborted',
  });
});
