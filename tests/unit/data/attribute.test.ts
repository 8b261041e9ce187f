/** Further columns of items become attributes: types, names, storage, and what is refused. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { attributeColumns, attributeName, readAttribute } from '../../../src/data/attribute.js';
import { Database } from '../../../src/data/import/duckdb.js';
import {
  importInteractions,
  openDataset,
  previewTable,
  summarizeDataset,
  writeDataset,
} from '../../../src/data/index.js';
import { datasetHash, manifestText } from '../../../src/data/store/manifest.js';
import { fixtures, temporaryFolder, tinyDraft } from './helper.js';

const interactions = join(fixtures, 'ratings.csv');
const ITEMS = [
  'movieId,title,Genres,releaseYear,zip,note,nothing',
  '1,American President (1995),Comedy|Drama,1995,007,"a, b",',
  '2,Toy Story (1995),Comedy,1995.5,12,,',
  '3,Heat (1995),,,,,',
  '4,Casino (1995),"[""Crime"", 7]",-1e3,1,x,',
];

const EVENTS = [
  'user,item,time',
  ...['a', 'b', 'c'].flatMap((user) => [1, 2, 3, 4].map((item) => `${user},${item},${item}`)),
];

function fileOf(name: string, lines: readonly string[]): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const importItems = (items: string, more = {}) =>
  importInteractions({
    interactions: fileOf('events.csv', EVENTS),
    items,
    split: 'leave-one-out',
    keepUnusedItems: true,
    window: { minHistory: 1, maxHistory: 2 },
    ...more,
  });

describe('a column of texts', () => {
  it('is of lists, of numbers or of texts by one rule', () => {
    for (const [texts, type, values] of [
      [['1', ' 2.5', '-1e3', ''], 'number', [1, 2.5, -1000, undefined]],
      [['007', '1'], 'text', ['007', '1']],
      [['1e999', '1'], 'text', ['1e999', '1']],
      [['NaN', '.'], 'text', ['NaN', '.']],
      [['1995', 'NaN', 'nan'], 'number', [1995, undefined, undefined]],
      [['12345678901234567890', '1'], 'text', ['12345678901234567890', '1']],
      [['[["a", "b"], ["c"]]'], 'texts', [['a', 'b', 'c']]],
      [[`a|${'word '.repeat(20)}`], 'text', [`a|${'word '.repeat(20)}`.trim()]],
      [['a|b', 'c', null, '|'], 'texts', [['a', 'b'], ['c'], undefined, undefined]],
      [['["x", 1, null]', '[y'], 'texts', [['x', '1'], ['[y']]],
      [['[{"a": 1}]', '[y]'], 'text', ['[{"a": 1}]', '[y]']],
      [['a\tb\n', '\u0000'], 'text', ['a b', undefined]],
    ] as const)
      assert.deepEqual(readAttribute(texts), { type, values }, JSON.stringify(texts));
  });

  it('is cut at the lengths that the help names', () => {
    assert.deepEqual(readAttribute(['🎬'.repeat(2000)]).values, ['🎬'.repeat(1000)]);
    const [list] = readAttribute([JSON.stringify(new Array(60).fill('a'.repeat(300)))])
      .values as string[][];
    assert.deepEqual([list?.length, list?.[0]?.length], [50, 200]);
  });
});

describe('names of attributes', () => {
  it('are snake_case', () => {
    const names = ['Release Year', 'releaseYear', 'class:token_seq', 'ジャンル', '#', '__proto__'];
    assert.deepEqual(names.map(attributeName), [
      'release_year',
      'release_year',
      'class',
      'ジャンル',
      'column_5',
      'proto',
    ]);
  });

  it('that clash, are not there or are too many are told at once', () => {
    const columns = (all: string[], wanted?: string[]) =>
      attributeColumns('f.csv', all, { taken: ['id'], wanted });
    assert.throws(() => columns(['id', 'Release Year', 'release-year', 'Title']), {
      code: 'usage',
      message:
        /2 problems[\s\S]*release_year from both "Release Year" and "release-year"[\s\S]*title from both the title and "Title"/,
    });
    assert.throws(() => columns(['id', 'a'], ['b']), /--attributes: expected a, got b/);
    assert.deepEqual(columns(['id', 'B b', 'c'], ['b_b']), [{ column: 'B b', name: 'b_b' }]);
    const many = Array.from({ length: 65 }, (_, i) => `a${i}`);
    assert.throws(() => columns(many), /at most 64 attributes, got 65/);
    assert.deepEqual(columns(many, []), []);
  });
});

describe('an import', () => {
  it('keeps further columns, which the folder gives back as they were', async () => {
    const { draft, attributes } = await importItems(fileOf('movies.csv', ITEMS));
    assert.deepEqual(attributes, [
      { name: 'genres', column: 'Genres', type: 'texts' },
      { name: 'release_year', column: 'releaseYear', type: 'number' },
      { name: 'zip', column: 'zip', type: 'text' },
      { name: 'note', column: 'note', type: 'text' },
    ]);
    const folder = join(temporaryFolder(), 'set');
    await writeDataset(folder, draft, { candidateCount: 2 });
    const dataset = await openDataset(folder);
    assert.deepEqual(
      dataset.catalog.items.map((item) => item.attributes),
      [
        { genres: ['Comedy', 'Drama'], release_year: 1995, zip: '007', note: 'a, b' },
        { genres: ['Comedy'], release_year: 1995.5, zip: '12' },
        {},
        { genres: ['Crime', '7'], release_year: -1000, zip: '1', note: 'x' },
      ],
    );
    assert.deepEqual(summarizeDataset(dataset).attributes[0], {
      name: 'genres',
      type: 'texts',
      items: 3,
      coverage: 0.75,
      examples: ['Comedy', 'Drama', 'Crime', '7'],
    });
  });

  it('keeps the named ones, or none and then the folder of before', async () => {
    const items = fileOf('movies.csv', ITEMS);
    const { draft } = await importItems(items, { attributes: ['releaseYear'] });
    assert.deepEqual(draft.attributes, [{ name: 'release_year', type: 'number' }]);
    const folder = join(temporaryFolder(), 'set');
    const none = await importItems(items, { attributes: [] });
    const manifest = await writeDataset(folder, none.draft, { candidateCount: 2 });
    assert.ok(!existsSync(join(folder, 'attributes.jsonl')));
    assert.ok(!('attributes' in manifest) && !('attributes.jsonl' in manifest.files));
  });

  it('reads JSON lines as it reads CSV', async () => {
    const lines = [
      { id: 1, title: 'a', tags: ['x', 'y'], year: 1 },
      { id: 2, title: 'b', year: 2.5 },
      { id: 3, title: 'c', tags: [] },
      { id: 4, title: 'd' },
    ].map((line) => JSON.stringify(line));
    const { draft } = await importItems(fileOf('items.jsonl', lines));
    assert.deepEqual(
      draft.items.map(({ attributes }) => attributes),
      [{ tags: ['x', 'y'], year: 1 }, { year: 2.5 }, {}, {}],
    );
  });

  it('is shown beforehand', async () => {
    const preview = await previewTable(fileOf('movies.csv', ITEMS), 1);
    assert.deepEqual(preview.attributes.map(({ name, type }) => `${name} ${type}`).slice(0, 2), [
      'genres texts',
      'release_year number',
    ]);
    assert.deepEqual(preview.rows, [
      ['1', 'American President (1995)', 'Comedy|Drama', '1995', '007', 'a, b', null],
    ]);
    assert.deepEqual((await previewTable(interactions, 1)).attributes, []);
  });
});

describe('attributes.jsonl', () => {
  /** A folder whose file was replaced by someone who mended the hashes too. */
  async function folderWith(text: string): Promise<string> {
    const folder = join(temporaryFolder(), 'set');
    const draft = { ...tinyDraft(), attributes: [{ name: 'year', type: 'number' } as const] };
    await writeDataset(folder, draft, { candidateCount: 5 });
    writeFileSync(join(folder, 'attributes.jsonl'), text);
    const path = join(folder, 'manifest.json');
    const { seal: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
    manifest.files['attributes.jsonl'] = createHash('sha256').update(text).digest('hex');
    writeFileSync(path, manifestText({ ...manifest, hash: datasetHash(manifest) }));
    return folder;
  }

  it('is checked line by line', async () => {
    const rest = '{}\n'.repeat(39);
    await openDataset(await folderWith(`{"year":1}\n${rest}`));
    for (const [text, message] of [
      [`{"year":"1"}\n${rest}`, /attributes\.jsonl:1: year: expected a finite number, got "1"/],
      [`{}\n{"genre":1}\n`, /attributes\.jsonl:2: genre: expected an attribute of manifest\.json/],
      [`[]\n${rest}`, /attributes\.jsonl:1: expected a JSON object/],
      [`{"year":1\n${rest}`, /attributes\.jsonl:1/],
      [rest, /expected 40 lines/],
      [`{}\n{}\n${rest}`, /expected 40 lines, got "?more/],
    ] as const)
      await assert.rejects(openDataset(await folderWith(text)), { code: 'format', message });
  });

  it('is noticed when a byte of it changes, and leaves other hashes alone', async () => {
    const folder = join(temporaryFolder(), 'set');
    const draft = tinyDraft();
    const plain = await writeDataset(join(temporaryFolder(), 'plain'), draft, {
      candidateCount: 5,
    });
    // Computed before there were attributes.
    const lines = Object.entries(plain.files).map(([file, hash]) => `${hash} ${file}`);
    const { window, candidates } = plain;
    const head = [
      'ilora-dataset-1',
      `window ${window.minHistory} ${window.maxHistory}`,
      `candidates ${candidates.count} ${candidates.seed} ${candidates.stream}`,
    ];
    const hash = createHash('sha256')
      .update([...head, ...lines].join('\n'))
      .digest('hex');
    assert.equal(plain.hash, hash);
    const items = draft.items.map((item) => ({ ...item, attributes: { year: 1 } }));
    const attributes = [{ name: 'year', type: 'number' } as const];
    const manifest = await writeDataset(
      folder,
      { ...draft, items, attributes },
      { candidateCount: 5 },
    );
    assert.notEqual(manifest.hash, plain.hash);
    const path = join(folder, 'attributes.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('1', '2'));
    await assert.rejects(openDataset(folder), { code: 'format', message: /sha256/ });
  });
});

it('lists of a Parquet file are lists, its numbers numbers', async () => {
  const path = join(temporaryFolder(), 'items.parquet');
  await Database.use((database) =>
    database.run(
      `COPY (SELECT * FROM (VALUES (1, 'A', ['x', 'y'], 1995), (2, 'B', [], NULL), (3, 'C', NULL, 7),
         (4, 'D', ['z'], 8)) AS t(movieId, title, genres, year)) TO '${path}' (FORMAT parquet)`,
    ),
  );
  const { draft } = await importItems(path);
  assert.deepEqual(
    draft.items.map(({ attributes }) => attributes),
    [{ genres: ['x', 'y'], year: 1995 }, {}, { year: 7 }, { genres: ['z'], year: 8 }],
  );
});
