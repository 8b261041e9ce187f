/** A title of which nothing would be left is refused, so that every dataset that is written can be read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importInteractions, openDataset, writeDataset } from '../../../src/data/index.js';
import { temporaryFolder } from '../../support/folder.js';

const ORDINARY = ['One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight', 'Nine'];
const folder = temporaryFolder();
const interactions = join(folder, 'ratings.csv');
const items = join(folder, 'items.csv');

function write(titles: readonly string[]): void {
  const rows = Array.from({ length: 12 }, (_, user) =>
    titles
      .slice(0, 6)
      .map((_title, k) => `u${user},${(user + k) % titles.length},${1000 + 10 * user + k}`),
  ).flat();
  writeFileSync(interactions, ['user,item,timestamp', ...rows].join('\n'));
  const lines = titles.map((title, id) => `${id},"${title}"`);
  writeFileSync(items, ['item,title', ...lines].join('\n'));
}

test('titles of white space and control characters are bad rows', async () => {
  const blank = ['', ' ', '\t', '\x01\x1b', '\u3000\u00a0', '\u2003 \ufeff', '\n\r'];
  write([...ORDINARY, ...blank]);
  await assert.rejects(importInteractions({ interactions, items }), (error: Error) => {
    for (let line = 11; line < 11 + blank.length; line += 1)
      assert.match(error.message, new RegExp(`items\\.csv:${line}: expected a title, got`));
    return true;
  });
});

test('a title of invisible letters is kept and the dataset can be read', async () => {
  write([...ORDINARY, '\u200b']);
  const { draft } = await importInteractions({ interactions, items });
  const out = join(folder, 'dataset');
  await writeDataset(out, draft, { candidateCount: 3 });
  const { catalog } = await openDataset(out);
  assert.equal(catalog.items[9]?.title, '\u200b');
});

test('no dataset is written that could not be read', async () => {
  write(ORDINARY);
  const { draft } = await importInteractions({ interactions, items });
  draft.items = draft.items.map((item) => (item.id === 5 ? { ...item, title: '\x07' } : item));
  await assert.rejects(writeDataset(join(folder, 'none'), draft, { candidateCount: 3 }), {
    code: 'data',
    message: /ratings: expected a title of item "5", got "\\u0007"/,
  });
});
