import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type Dataset,
  type FrozenSplitName,
  openDataset,
  RowRanges,
  writeDataset,
} from '../../../src/data/index.js';
import { temporaryFolder, tinyDraft } from './helper.js';

async function written(): Promise<{ folder: string; dataset: Dataset }> {
  const folder = join(temporaryFolder(), 'tiny');
  await writeDataset(folder, tinyDraft());
  return { folder, dataset: await openDataset(folder) };
}

test('a written dataset opens with the same items, rows and sequences', async () => {
  const { dataset } = await written();
  assert.equal(dataset.catalog.size, 40);
  assert.deepEqual(dataset.manifest.counts.rows, {
    train: 11,
    validation: 1,
    test: 1,
    'test-wide': 20,
  });
  const { history, target, user } = dataset.instance('train', 10);
  assert.deepEqual({ history, target, user }, { history: [5, 12, 19, 26], target: 33, user: 'u2' });
  assert.equal(dataset.instance('train', 8).history.length, 10);
});

test('two writes give the same bytes, another seed other candidates only', async () => {
  const root = temporaryFolder();
  const first = await writeDataset(join(root, 'a'), tinyDraft());
  const second = await writeDataset(join(root, 'b'), tinyDraft());
  const third = await writeDataset(join(root, 'c'), tinyDraft(), { seed: 1 });
  assert.deepEqual(first, second);
  assert.notEqual(first.hash, third.hash);
  assert.equal(first.files['sequences.jsonl'], third.files['sequences.jsonl']);
  assert.notEqual(first.files['candidates/test.tsv'], third.files['candidates/test.tsv']);
});

test('candidates hold the target once and nothing of the history', async () => {
  const { dataset } = await written();
  for (const split of ['train', 'validation', 'test', 'test-wide'] as const)
    for (const { candidates, history, target } of dataset.instances(split)) {
      assert.equal(candidates.length, 20);
      assert.equal(new Set(candidates).size, 20);
      assert.equal(candidates.filter((item) => item === target).length, 1);
      assert.ok(!history.some((item) => item !== target && candidates.includes(item)));
    }
});

test('train candidates depend on seed, epoch and row alone', async () => {
  const { dataset } = await written();
  const at = (row: number, epoch: number, seed = 1): string =>
    dataset.instance('train', row, { draw: { seed, epoch } }).candidates.join();
  const before = at(3, 2);
  at(4, 2);
  at(3, 0);
  assert.equal(at(3, 2), before);
  assert.equal(new Set([at(3, 0), at(3, 1), at(4, 0), at(3, 0, 2)]).size, 4);
  const frozen = dataset.instance('test', 0).candidates;
  assert.notDeepEqual(
    dataset.instance('test', 0, { draw: { seed: 1, epoch: 0 } }).candidates,
    frozen,
  );
});

test('test-wide spreads over the test sequences and ends with their last item', async () => {
  const { dataset } = await written();
  const positions = Array.from({ length: 20 }, (_, row) => dataset.window('test-wide', row));
  assert.deepEqual(positions[0], { sequence: 3, position: 3 });
  assert.deepEqual(positions[19], { sequence: 3, position: 29 });
  assert.equal(new Set(positions.map(({ position }) => position)).size, 20);
});

test('train sequences end at the last train target', async () => {
  const folder = join(temporaryFolder(), 'cut');
  const draft = tinyDraft();
  draft.train = new RowRanges();
  draft.train.add({ sequence: 3, first: 3, last: 20 });
  await writeDataset(folder, draft);
  const sequences = [...(await openDataset(folder)).sequencesOf('train')];
  assert.deepEqual(
    sequences.map(({ user, items }) => [user, items.length]),
    [['u4', 21]],
  );
});

test('two items of one title are never candidates together', async () => {
  const folder = join(temporaryFolder(), 'titles');
  const draft = tinyDraft();
  draft.items = draft.items.map((item) => ({ ...item, title: `T${item.id % 20}` }));
  await writeDataset(folder, draft, { candidateCount: 8 });
  const dataset = await openDataset(folder);
  for (const { candidates } of dataset.instances('test-wide'))
    assert.equal(new Set(candidates.map((item) => item % 20)).size, 8);
});

test('a catalog that is too small for the candidates is refused and nothing is written', async () => {
  const folder = join(temporaryFolder(), 'small');
  await assert.rejects(
    writeDataset(folder, tinyDraft(), { candidateCount: 35 }),
    /expected 35 items with different titles outside the history, got 30 — ask for fewer/,
  );
  assert.ok(!existsSync(folder));
});

test('a folder with content is kept unless it is a dataset to overwrite', async () => {
  const { folder } = await written();
  await assert.rejects(writeDataset(folder, tinyDraft()), /expected a new or empty folder/);
  await writeDataset(folder, tinyDraft(), { overwrite: true, seed: 3 });
  assert.equal((await openDataset(folder)).manifest.candidates.seed, 3);
  const other = temporaryFolder();
  writeFileSync(join(other, 'thesis.txt'), 'x');
  await assert.rejects(
    writeDataset(other, tinyDraft(), { overwrite: true }),
    /expected a dataset folder to replace/,
  );
  assert.deepEqual(readdirSync(other), ['thesis.txt']);
});

test('a changed file is refused by its hash', async () => {
  const { folder } = await written();
  const path = join(folder, 'items.tsv');
  writeFileSync(path, readFileSync(path, 'utf8').replace('Title 7\t', 'Title Z\t'));
  await assert.rejects(openDataset(folder), /items\.tsv: expected sha256 [0-9a-f]{64}, got/);
});

test('faults name file, line, expectation and value', async () => {
  const cases: [string, (text: string) => string, RegExp][] = [
    [
      'items.tsv',
      (text) => text.replace('\n5\t', '\n6\t'),
      /items\.tsv:7: expected item id 5, got "6"/,
    ],
    ['items.tsv', (text) => text.replace('item_id', 'id'), /items\.tsv:1: expected the header/],
    [
      'items.tsv',
      (text) => text.replace('\tTitle 3\t3', '\t3'),
      /items\.tsv:5: expected 4 fields separated by tabs, got 3/,
    ],
    [
      'sequences.jsonl',
      (text) => text.replace('[5,', '[40,'),
      /sequences\.jsonl:2: expected item ids in \[0, 40\), got 40/,
    ],
    [
      'sequences.jsonl',
      (text) => text.replace('{"user":"u3"', '{"usr":"u3"'),
      /sequences\.jsonl:3: expected a "user" in quotes, got nothing/,
    ],
    [
      'sequences.jsonl',
      (text) => text.replace('1000,1001', '1001,1000'),
      /sequences\.jsonl:1: expected times as numbers, oldest first/,
    ],
    [
      'sequences.jsonl',
      (text) => `${text.slice(0, 20)}`,
      /sequences\.jsonl:1: expected a JSON object/,
    ],
    [
      'train.tsv',
      (text) => text.replace('1\t3\t4', '1\t2\t4'),
      /train\.tsv:3: expected 3 ≤ first ≤ last < 5/,
    ],
    [
      'train.tsv',
      (text) => text.replace('1\t3\t4', '9\t3\t4'),
      /train\.tsv:3: expected sequence in \[0, 4\)/,
    ],
    [
      'candidates/test.tsv',
      (text) => text.replace(/^\d+/, '99'),
      /candidates\/test\.tsv:1: expected candidates of row 0, got/,
    ],
    [
      'candidates/test-wide.tsv',
      (text) => text.replace(/.*\n$/, ''),
      /expected 20 lines, as in manifest\.json, got 19|expected sha256/,
    ],
  ];
  for (const [file, change, message] of cases) {
    const { folder } = await written();
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    assert.notEqual(change(text), text, `${file} ${message}`);
    writeFileSync(path, change(text));
    await assert.rejects(openDataset(folder), (error: Error & { code?: string }) => {
      assert.match(error.message, message);
      assert.equal(error.code, 'format');
      return true;
    });
  }
});

test('bytes that are no UTF-8 and missing files are typed errors', async () => {
  const { folder } = await written();
  appendFileSync(join(folder, 'items.tsv'), Buffer.from([0xff, 0xfe]));
  await assert.rejects(
    openDataset(folder),
    /items\.tsv:\d+: expected utf-8 text, got "other bytes"/,
  );
  await assert.rejects(openDataset(join(folder, 'none')), { code: 'file' });
});

test('a manifest reports all its faults at once', async () => {
  const { folder } = await written();
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...manifest, name: '', extra: 1, format: 'other' }));
  await assert.rejects(openDataset(folder), /manifest\.json: 3 problems\n.*\n.*\n/);
  writeFileSync(path, JSON.stringify({ ...manifest, window: { minHistory: 3, maxHistory: 5 } }));
  await assert.rejects(openDataset(folder), /manifest\.json: 1 problem\n {2}hash: expected/);
});

test('the frozen candidates are what the folder says', async () => {
  const { folder, dataset } = await written();
  for (const split of ['validation', 'test', 'test-wide'] satisfies FrozenSplitName[]) {
    const lines = readFileSync(join(folder, `candidates/${split}.tsv`), 'utf8')
      .trimEnd()
      .split('\n');
    assert.deepEqual(
      lines,
      [...dataset.instances(split)].map((one) => one.candidates.join('\t')),
    );
  }
});

test('any changed byte of the manifest is noticed, free text included; one without a seal is opened', async () => {
  const { folder, dataset } = await written();
  const path = join(folder, 'manifest.json');
  const whole = readFileSync(path);
  const name = whole.indexOf('"tiny"') + 1;
  for (const at of [name, 0, whole.length - 1, ...Array.from({ length: 60 }, (_, i) => 31 * i)]) {
    const bytes = Buffer.from(whole);
    bytes[at % whole.length]! ^= 2;
    writeFileSync(path, bytes);
    await assert.rejects(openDataset(folder), /manifest\.json/, `byte ${at}`);
  }
  const { seal, ...earlier } = JSON.parse(whole.toString()) as { seal: string };
  assert.match(seal, /^[0-9a-f]{64}$/);
  writeFileSync(path, JSON.stringify(earlier));
  assert.equal((await openDataset(folder)).hash, dataset.hash);
});

test('the history protocol shows all of the past, with the same candidates', async () => {
  const { dataset } = await written();
  for (const split of ['test', 'train'] as const)
    for (const shown of dataset.instances(split)) {
      const whole = dataset.instance(split, shown.row, { protocol: 'history' });
      const { sequence, position } = dataset.window(split, shown.row);
      assert.deepEqual(whole.history, [...dataset.sequences.itemsOf(sequence, 0, position)]);
      assert.deepEqual(whole.history.slice(-shown.history.length), shown.history);
      assert.deepEqual(whole.candidates, shown.candidates);
      const excluded = new Set([...shown.history, shown.target]).size;
      assert.equal(shown.pool, dataset.catalog.size - excluded);
      assert.equal(whole.pool, shown.pool);
    }
});

test('windows of validation users are evenly spaced, end with the last row, and are no train targets', async () => {
  const { dataset } = await written();
  const positionsOf = (perUser: number) =>
    [...dataset.windows('validation', { perUser })].map(({ target }) =>
      dataset.sequences.itemsOf(2).indexOf(target),
    );
  assert.deepEqual(positionsOf(100), [3, 4, 5]);
  assert.deepEqual(positionsOf(2), [3, 5]);
  assert.deepEqual(positionsOf(1), [5]);
  const windows = [...dataset.windows('validation', { perUser: 9 })];
  assert.deepEqual(
    windows.map(({ row, user, split }) => ({ row, user, split })),
    [0, 1, 2].map((row) => ({ row, user: 'u3', split: 'validation' })),
  );
  const last = windows.at(-1);
  const frozen = dataset.instance('validation', 0);
  assert.deepEqual(
    [last?.history, last?.target, last?.pool],
    [frozen.history, frozen.target, frozen.pool],
  );
  for (const { candidates, target, history } of windows) {
    assert.equal(new Set(candidates).size, 20);
    assert.ok(candidates.includes(target) && !candidates.some((item) => history.includes(item)));
  }
  assert.deepEqual([...dataset.windows('validation', { perUser: 9 })], windows);
});

test('windows of the history protocol hold all of the past; targets that training knew are left out', async () => {
  const folder = join(temporaryFolder(), 'inside');
  const draft = tinyDraft();
  draft.validation.add({ sequence: 3, first: 20, last: 20 });
  draft.train.add({ sequence: 3, first: 3, last: 17 });
  await writeDataset(folder, draft);
  const dataset = await openDataset(folder);
  const lengths = (protocol: 'window' | 'history') =>
    [...dataset.windows('validation', { perUser: 99, protocol })]
      .filter(({ user }) => user === 'u4')
      .map(({ history }) => history.length);
  assert.deepEqual(lengths('history'), [18, 19, 20]);
  assert.deepEqual(lengths('window'), [10, 10, 10]);
});
