/** Tables and dataset folders that promise more than they hold. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Database, literal } from '../../../src/data/import/duckdb.js';
import {
  type DatasetManifest,
  importInteractions,
  openDataset,
  previewTable,
  readPublishedFolder,
  writeDataset,
} from '../../../src/data/index.js';
import { datasetHash, manifestText } from '../../../src/data/store/manifest.js';
import { temporaryFolder, tinyDraft } from './helper.js';

describe('a dataset folder', () => {
  const make = async (change: (manifest: DatasetManifest) => void): Promise<string> => {
    const folder = join(temporaryFolder(), 'data');
    await writeDataset(folder, tinyDraft(), { candidateCount: 5 });
    const path = join(folder, 'manifest.json');
    const { seal: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8')) as DatasetManifest;
    change(manifest);
    manifest.hash = datasetHash(manifest);
    writeFileSync(path, manifestText(manifest));
    return folder;
  };
  it('is opened when only its hashes were made anew', async () =>
    assert.equal((await openDataset(await make(() => undefined))).catalog.size, 40));
  it('makes no room for more candidates than there are items', async () => {
    for (const count of [41, 2 ** 29, 2 ** 40])
      await assert.rejects(
        openDataset(
          await make(({ candidates }) => {
            candidates.count = count;
          }),
        ),
        {
          code: 'format',
          message: new RegExp(`candidates\\.count: expected at most the 40 items, got ${count}$`),
        },
      );
  });
  it('is not waited for where its manifest or a file is a pipe', async () => {
    for (const name of ['manifest.json', 'items.tsv', 'candidates/test.tsv']) {
      const folder = await make(() => undefined);
      rmSync(join(folder, name));
      spawnSync('mkfifo', [join(folder, name)]);
      await assert.rejects(openDataset(folder), { code: 'file', message: /got "?a pipe/ });
    }
  });
});

describe('a table', () => {
  const file = (name: string, text: string): string => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, text);
    return path;
  };
  it('has at most a thousand columns', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `"k${i}":1`).join();
    for (const path of [
      file('wide.csv', `${'a,'.repeat(500_000)}a\n1,2\n`),
      file('wide.jsonl', `{${keys}}\n`),
    ])
      await assert.rejects(previewTable(path), {
        code: 'format',
        message: /wide\.\w+:1: expected at most 1000 columns, got \d+/,
      });
  });
  it('names the first of many broken rows by their lines, and counts all', async () => {
    const rows = ['1,a,5,100', '1,b', '2,x,1', '1,b,5,101', ...Array(3000).fill('2,c')];
    const path = file('ratings.csv', `user,item,rating,time\n${rows.join('\n')}\n`);
    const { badRows } = await importInteractions({
      interactions: path,
      badRows: 'skip',
      maxListed: 3,
    });
    assert.equal(badRows.listed.length, 3);
    assert.deepEqual(
      badRows.listed.map(({ where }) => where),
      [`${path}:3`, `${path}:4`, `${path}:6`],
    );
    assert.equal(badRows.count, 3002);
  });
  it('is the file of that name, not those its name would match as a pattern', async () => {
    const folder = temporaryFolder();
    const text = (item: string): string => `user,item,time\n1,${item},1\n`;
    for (const [name, other] of [
      ['a[1].csv', 'a1.csv'],
      ['b*.csv', 'bb.csv'],
      ['c?.jsonl', 'cc.jsonl'],
      ['d*.parquet', 'dd.parquet'],
    ] as const) {
      for (const [place, item] of [
        [name, 'own'],
        [other, 'other'],
      ] as const) {
        const path = join(folder, place);
        if (place.endsWith('jsonl')) writeFileSync(path, `{"user":1,"item":"${item}","time":1}\n`);
        else if (place.endsWith('csv')) writeFileSync(path, text(item));
        else
          await Database.use((database) =>
            database.run(
              `COPY (SELECT 1 AS user, ${literal(item)} AS item, 1 AS time) TO ${literal(path)} (FORMAT parquet)`,
            ),
          );
      }
      const { draft } = await importInteractions({ interactions: join(folder, name) });
      assert.deepEqual(
        draft.items.map(({ sourceId }) => sourceId),
        ['own'],
        name,
      );
    }
  });
  it('names the line of a broken quote once, and no wrong line after it', async () => {
    const broken = `b,${'"Blue ""one"""b,'.repeat(20)}`;
    const path = file('items.csv', `item_id,title\na,Red\n${broken}\nc,Night\n\nc,Again\n`);
    const { badRows } = await importInteractions({
      interactions: file('r.csv', 'user,item,time\n1,a,1\n1,c,2\n'),
      items: path,
      badRows: 'skip',
    });
    assert.deepEqual(
      badRows.listed.map(({ where }) => where),
      // DuckDB takes the end of line 3 for a row of its own, so what follows is told by rows.
      [`${path}:3`, `${path}: row 2`, `${path}: row 4`],
    );
  });
  it('is not unpacked to look for the end of its first line', async () => {
    const path = join(temporaryFolder(), 'bomb.csv.gz');
    writeFileSync(path, gzipSync(Buffer.alloc(64 << 20, 'a')));
    await assert.rejects(previewTable(path), {
      code: 'format',
      message: /bomb\.csv\.gz:1: expected a line of at most 1048576 bytes, got a longer one/,
    });
  });
  it('is not waited for where a packed file cannot be read', async () => {
    const path = join(temporaryFolder(), 'failing.csv.gz');
    symlinkSync('/proc/self/mem', path);
    await assert.rejects(previewTable(path), { code: 'file', message: /failing\.csv\.gz: .*EIO/ });
  });
});

it('published rows name no item below 0', async () => {
  const folder = temporaryFolder();
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('items.tsv', 'item_id\ttitle\n0\tRed\n1\tBlue\n');
  write('users.tsv', 'user\tsplit\n1\ttrain\n');
  for (const [item, place] of [
    ['-1', '0'],
    ['0.5', '0'],
    ['0', '-1'],
  ]) {
    write('interactions.tsv', `user\titem\ttime\trating\tseq_pos\n1\t${item}\t1\t4\t${place}\n`);
    await assert.rejects(readPublishedFolder(folder), {
      code: 'format',
      message: /interactions\.tsv:2: expected user, item/,
    });
  }
});
