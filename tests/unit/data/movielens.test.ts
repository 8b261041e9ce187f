/** MovieLens-100K's two layouts and its attributes, on made-up films and ratings. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type Movielens,
  openDataset,
  prepareMovielens100k,
  readMovielens,
  writeDataset,
} from '../../../src/data/index.js';
import { parseRecboleMovielens } from '../../../src/data/sources/movielens-reader.js';
import { temporaryFolder } from './helper.js';

const header = 'item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq';
const inter = 'user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t1\t5\t100\n';

/** Genres that RecBole's lines give. */
const genresOf = (...lines: string[]) =>
  parseRecboleMovielens({ inter, item: [header, ...lines].join('\n') }, 'made up').genres;

test("RecBole's genres are names between spaces; the genre unknown, and none, are no genres", () => {
  assert.deepEqual(
    genresOf(
      "1\tA Film\t1995\tAnimation Children's Sci-Fi",
      '2\tunkonwn\tunkonwn\tunknown',
      '3\tA Morning\t1971\tunknown',
      '4\tNothing\t1990\t',
      '5\tCut Short\t1991',
      '6\tTwice\t1992\tFilm-Noir Film-Noir',
    ),
    [['Animation', "Children's", 'Sci-Fi'], [], [], [], [], ['Film-Noir']],
  );
});

test("GroupLens' flags give the genres that RecBole names, in the same order", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'u.data'), '1\t1\t5\t100\n');
  const flags = (...on: number[]): string =>
    Array.from({ length: 19 }, (_, i) => (on.includes(i) ? 1 : 0)).join('|');
  const items = [
    `1|A Film (1995)|01-Jan-1995||http://x|${flags(3, 4, 15)}`,
    `2|unknown||||${flags(0)}`,
    `3|Caf\u00e9 III (1995) (V)|01-Jan-1996||http://x|${flags(1, 18)}`,
    `4|Short|`,
  ];
  writeFileSync(join(folder, 'u.item'), Buffer.from(`${items.join('\n')}\n`, 'latin1'));
  const read = await readMovielens(folder);
  assert.deepEqual(read?.genres, [
    ['Animation', "Children's", 'Sci-Fi'],
    [],
    ['Action', 'Western'],
    [],
  ]);
  assert.deepEqual(read?.titles, ['A Film (1995)', 'unknown', 'Café III (1995) (V)', 'Short']);
});

/** 100,000 ratings of 1,682 films that nobody made: 500 users of 200 each. */
function madeUp(): Movielens {
  const total = 100_000;
  const titles = Array.from({ length: 1682 }, (_, id) => `Film ${id} (${1930 + (id % 68)})`);
  titles[1] = 'unknown';
  titles[2] = 'Third Part (1994) (V)';
  titles[3] = 'The Year (2001) (1968)';
  const genres = titles.map((_, id) => (id === 1 || id === 4 ? [] : ['Drama', 'War']));
  return {
    ratings: {
      users: Int32Array.from({ length: total }, (_, i) => 1 + Math.floor(i / 200)),
      items: Int32Array.from({ length: total }, (_, i) => (i * 7 + Math.floor(i / 200)) % 1682),
      ratings: Int32Array.from({ length: total }, (_, i) => 1 + (i % 5)),
      times: Float64Array.from({ length: total }, (_, i) => 1000 + i),
    },
    titles,
    genres,
    origin: 'made up',
  };
}

test('genres and year are attributes where they are asked for; unknown ones are absent', async () => {
  const folder = join(temporaryFolder(), 'set');
  const draft = prepareMovielens100k(madeUp(), 'published', { hasAttributes: true });
  await writeDataset(folder, draft);
  const { catalog, manifest } = await openDataset(folder);
  assert.deepEqual(manifest.attributes, [
    { name: 'genres', type: 'texts' },
    { name: 'year', type: 'number' },
  ]);
  assert.deepEqual(
    catalog.items.slice(0, 5).map(({ title, attributes }) => [title, { ...attributes }]),
    [
      ['Film 0', { genres: ['Drama', 'War'], year: 1930 }],
      ['unknown', {}],
      ['Third Part', { genres: ['Drama', 'War'], year: 1994 }],
      ['The Year (2001)', { genres: ['Drama', 'War'], year: 1968 }],
      ['Film 4', { year: 1934 }],
    ],
  );
});

test('without being asked for, attributes change no byte', async () => {
  const root = temporaryFolder();
  const { genres: _, ...plain } = madeUp();
  const before = await writeDataset(join(root, 'before'), prepareMovielens100k(plain));
  const after = await writeDataset(join(root, 'after'), prepareMovielens100k(madeUp()));
  assert.deepEqual(after, before);
  // The hash that the version before attributes gave these ratings.
  assert.equal(after.hash, '6504ff0f41738f2787c9dc9908d8ea5f5ea3baa901fae30946d492dbf9c33558');
  const draft = prepareMovielens100k(madeUp(), 'published', { hasAttributes: true });
  const asked = await writeDataset(join(root, 'asked'), draft);
  const { 'attributes.jsonl': attributes, ...files } = asked.files;
  assert.deepEqual(files, before.files);
  assert.match(attributes ?? '', /^[0-9a-f]{64}$/);
  assert.notEqual(asked.hash, before.hash);
});

test('attributes that a source does not have are an error', () => {
  const { genres: _, ...plain } = madeUp();
  assert.throws(() => prepareMovielens100k(plain, 'published', { hasAttributes: true }), {
    code: 'data',
    message: 'MovieLens-100K: attributes: expected genres of 1682 items, got nothing',
  });
});
