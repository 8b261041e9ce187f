/** Splits by cold items: a world worked out by hand, and what holds in any world. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditDataset, type Finding } from '../../../src/audit/index.js';
import {
  chooseColdItems,
  coldDraft,
  coldRuleOf,
  type Dataset,
  type DatasetDraft,
  openDataset,
  RowRanges,
  SequenceStore,
  type SplitName,
  splitRules,
  writeDataset,
} from '../../../src/data/index.js';
import { titleKey } from '../../../src/data/title.js';
import { Random } from '../../../src/random/index.js';
import { cleanUsers, datasetOf, draftOf, figure, ranges } from '../audit/helper.js';
import { temporaryFolder } from './helper.js';

/**
 * Items 20 and 21 alone have titles of their own, so that they are the cold ones, and 13 items occur in train: two
 * of them are a share of 0.15.
 */
function worldByHand(): DatasetDraft {
  const sequences = new SequenceStore(true);
  for (const [user, items] of [
    ['a', [0, 1, 20, 2, 3, 21, 4]],
    ['b', [20, 21, 5, 6]],
    ['c', [7, 8, 9, 10, 20]],
    ['v', [0, 1, 2, 20, 5, 3, 21, 20]],
    ['t', [21, 0, 21, 1, 7, 21, 20, 8, 21, 4]],
  ] as const)
    sequences.add(
      user,
      items,
      items.map((_, i) => 100 + i),
    );
  return {
    ...draftOf({ users: [], titles: [], size: 0, hasTimes: true, rule: 'leave-one-out' }),
    name: 'hand',
    splitRule: { rule: 'by-user' },
    notes: ['a note'],
    dropped: { belowMinRating: 7 },
    items: Array.from({ length: 22 }, (_, id) => ({
      id,
      title: `Title ${id < 20 ? id % 10 : id}`,
      sourceTitle: `Title ${id}`,
      sourceId: String(id),
      attributes: {},
    })),
    sequences,
    train: ranges([0, 3, 6], [1, 3, 3], [2, 3, 4]),
    validation: ranges([3, 7, 7]),
    test: ranges([4, 9, 9]),
  };
}

/** Validation has item 20 with this seed, test 21. */
const options = { share: 0.15, seed: 8 };

/** Rows of a split as `user: history > target`. */
function rowsOf(dataset: Dataset, split: SplitName): string[] {
  return [...dataset.instances(split, { protocol: 'history' })].map(
    ({ user, history, target }) => `${user}: ${history.join(' ')} > ${target}`,
  );
}

async function opened(draft: DatasetDraft, candidateCount = 4): Promise<Dataset> {
  const folder = join(temporaryFolder(), 'set');
  await writeDataset(folder, draft, { candidateCount });
  return openDataset(folder);
}

test('train loses the cold items; each held-out row is a sequence of warm items before its target', async () => {
  const parent = await opened(worldByHand());
  assert.deepEqual(chooseColdItems(parent, options), { validation: [20], test: [21] });
  const dataset = await opened(await coldDraft(parent, options));
  assert.deepEqual(
    Array.from(dataset.sequencesOf('train'), ({ user, items, times }) => [
      user,
      [...items],
      [...(times ?? [])],
    ]),
    [
      ['a', [0, 1, 2, 3, 4], [100, 101, 103, 104, 106]],
      ['c', [7, 8, 9, 10], [100, 101, 102, 103]], // b has two items left: too few for a row
    ],
  );
  assert.deepEqual(rowsOf(dataset, 'train'), ['a: 0 1 2 > 3', 'a: 0 1 2 3 > 4', 'c: 7 8 9 > 10']);
  // Item 5 was of b alone: it is warm no more. Items 20 and 21 are in no history.
  assert.deepEqual(rowsOf(dataset, 'validation'), ['v: 0 1 2 > 20', 'v: 0 1 2 3 > 20']);
  assert.deepEqual(rowsOf(dataset, 'test-wide'), ['t: 0 1 7 > 21', 't: 0 1 7 8 > 21']);
  assert.deepEqual(rowsOf(dataset, 'test'), ['t: 0 1 7 8 > 21']);
  assert.deepEqual(dataset.instance('test', 0).times, [101, 103, 104, 107]);
  assert.equal(dataset.instance('test', 0).pool, 22 - 5);
});

test('the manifest says where a cold split comes from, and counts what is left out', async () => {
  const parent = await opened(worldByHand());
  const { manifest } = await opened(await coldDraft(parent, options));
  assert.deepEqual(coldRuleOf(manifest.splitRule), {
    rule: 'cold-items',
    share: 0.15,
    seed: 8,
    items: { validation: 1, test: 1 },
    users: { train: 2, validation: 1, test: 1 },
    parent: { name: 'hand', hash: parent.hash, splitRule: { rule: 'by-user' } },
  });
  assert.deepEqual(manifest.dropped, {
    belowMinRating: 7,
    trainInteractionsOfColdItems: 5,
    trainSequencesTooShort: 1,
    coldTargetsWithShortHistory: 2,
  });
  assert.equal(manifest.name, 'hand-cold');
  assert.match(manifest.origin, new RegExp(`^cold items of hand \\(hash ${parent.hash}\\)`));
  assert.ok(manifest.notes.includes('Of hand: a note'));
});

test('the same seed gives the same bytes, another seed other items', async () => {
  const parent = await opened(draftOf(cleanUsers(1)));
  const bytes = async (seed: number): Promise<string> => {
    const { folder } = await opened(await coldDraft(parent, { seed }));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    return files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'))
      .join();
  };
  assert.equal(await bytes(3), await bytes(3));
  assert.notDeepEqual(chooseColdItems(parent, { seed: 3 }), chooseColdItems(parent, { seed: 4 }));
});

test('a larger share keeps the items of a smaller one, each on its side', () => {
  const parent = datasetOf(draftOf(cleanUsers(2)));
  const small = chooseColdItems(parent, { share: 0.1, seed: 5 });
  const large = chooseColdItems(parent, { share: 0.4, seed: 5 });
  for (const split of ['validation', 'test'] as const) {
    assert.ok(large[split].length > 3 * small[split].length);
    for (const item of small[split]) assert.ok(large[split].includes(item));
  }
});

/** The definition once more, as plainly as can be: rows of a split as `user: history > target`. */
function plainRows(
  parent: Dataset,
  split: 'validation' | 'test',
  targets: Set<number>,
  warm: Set<number>,
) {
  const last = (name: SplitName, sequence: number): number =>
    Math.max(
      -1,
      ...parent
        .rowRanges(name)
        .ranges.filter((range) => range.sequence === sequence)
        .map((range) => range.last),
    );
  const rows: string[] = [];
  for (let sequence = 0; sequence < parent.sequences.size; sequence++) {
    const items = [...parent.sequences.itemsOf(sequence)];
    const seen = Math.max(
      last('train', sequence),
      split === 'test' ? last('validation', sequence) : -1,
    );
    for (let at = seen + 1; at <= last(split, sequence); at++) {
      const history = items.slice(0, at).filter((item) => warm.has(item));
      if (targets.has(items[at] as number) && history.length >= 3)
        rows.push(`${parent.sequences.user(sequence)}: ${history.join(' ')} > ${items[at]}`);
    }
  }
  return rows;
}

for (const rule of splitRules)
  test(`a cold split of one ${rule} holds what it promises in any world`, async () => {
    for (const seed of [1, 2, 3, 4]) {
      const parent = datasetOf(draftOf({ ...cleanUsers(seed), rule }));
      const share = 0.05 + 0.4 * new Random(seed, 'test/share').uniform();
      const cold = chooseColdItems(parent, { share, seed });
      const dataset = datasetOf(await coldDraft(parent, { share, seed }));
      const [validation, heldOut] = [new Set(cold.validation), new Set(cold.test)];
      assert.ok(!cold.test.some((item) => validation.has(item)));
      const train = [...dataset.sequencesOf('train')].flatMap(({ items }) => [...items]);
      const warm = new Set(train);
      for (const item of [...cold.validation, ...cold.test]) assert.ok(!warm.has(item));
      assert.deepEqual(
        rowsOf(dataset, 'validation'),
        plainRows(parent, 'validation', validation, warm),
      );
      assert.deepEqual(rowsOf(dataset, 'test-wide'), plainRows(parent, 'test', heldOut, warm));
      const lastOfUser = new Map(
        [...dataset.instances('test-wide')].map((row) => [row.user, row.target]),
      );
      assert.deepEqual(
        [...dataset.instances('test')].map(({ user, target }) => [user, target]),
        [...lastOfUser],
      );
      // Train rows: every train target of the parent that is warm and has three warm items before it.
      const expected = [...parent.instances('train', { protocol: 'history' })]
        .map(({ user, history, target }) => {
          const left = history.filter((item) => !validation.has(item) && !heldOut.has(item));
          return { row: `${user}: ${left.join(' ')} > ${target}`, target, length: left.length };
        })
        .filter(
          ({ target, length }) => !validation.has(target) && !heldOut.has(target) && length >= 3,
        );
      assert.deepEqual(
        rowsOf(dataset, 'train'),
        expected.map(({ row }) => row),
      );
      const finding = (id: string) => auditDataset(dataset).find((each) => each.id === id);
      assert.equal(finding('cold-items')?.severity, 'info');
      assert.equal(finding('user-overlap')?.severity, 'info');
      assert.equal(finding('one-order')?.severity, 'info');
    }
  });

test('of rows as published only the rows themselves are held out', async () => {
  const hand = worldByHand();
  const parent = await opened({
    ...hand,
    splitRule: { rule: 'as-published', train: 'rows' },
    validation: ranges([3, 7, 7]),
    test: ranges([4, 8, 8]),
  });
  const dataset = await opened(await coldDraft(parent, options));
  assert.deepEqual(rowsOf(dataset, 'validation'), ['v: 0 1 2 3 > 20']);
  assert.deepEqual(rowsOf(dataset, 'test-wide'), ['t: 0 1 7 8 > 21']);
});

test('an item whose title another item has is never cold', () => {
  const clean = cleanUsers(3);
  const titles = clean.titles.map((title, id) => (id % 3 === 0 ? 'The same' : title));
  const cold = chooseColdItems(datasetOf(draftOf({ ...clean, titles })), { share: 0.3 });
  for (const item of [...cold.validation, ...cold.test])
    assert.notEqual(titleKey(titles[item] as string), titleKey('the same'));
});

test('an audit names a split by cold items that does not keep its word', async () => {
  const parent = datasetOf(draftOf(cleanUsers(4)));
  const draft = await coldDraft(parent, { share: 0.2 });
  const finding = (changed: DatasetDraft) =>
    auditDataset(datasetOf(changed)).find(({ id }) => id === 'cold-items') as Finding;
  assert.deepEqual(finding(draft).figures.leaks, {
    warmTargets: 0,
    coldHistories: 0,
    sharedTargets: 0,
  });
  const { sequence, last } = draft.validation.range(0);
  // The validation row is trained on too: its target is warm.
  const trained = new RowRanges();
  for (const range of [...draft.train.ranges, { sequence, first: last, last }]) trained.add(range);
  const leaking = finding({ ...draft, train: trained });
  assert.equal(leaking.severity, 'severe');
  assert.ok((figure(leaking, 'leaks/warmTargets') as number) >= 1);
  // A row of test is one of validation too.
  const shared = finding({ ...draft, testWide: draft.validation });
  assert.equal(shared.severity, 'severe');
  const targets = draft.validation.ranges.map(
    (range) => draft.sequences.itemsOf(range.sequence).at(-1) as number,
  );
  assert.equal(figure(shared, 'leaks/sharedTargets'), new Set(targets).size);
});

test('what cannot be made is said', async () => {
  const made = (draft: DatasetDraft) => datasetOf(draft, { candidateCount: 4 });
  const parent = made(worldByHand());
  const refusal = async (given: object, of = parent) => coldDraft(of, { ...options, ...given });
  for (const share of [0, -0.1, 0.51, Number.NaN])
    await assert.rejects(refusal({ share }), {
      code: 'usage',
      message: `cold items: share: expected a number above 0 and at most 0.5, got ${share}`,
    });
  await assert.rejects(refusal({ seed: 1.5 }), { code: 'usage' });
  await assert.rejects(refusal({ share: 0.1 }), {
    code: 'data',
    message: /got 1 — ask for a larger share than 0\.1$/,
  });
  await assert.rejects(refusal({ share: 0.3 }), {
    code: 'data',
    message: /expected at least 4 of the 13 items .* got 2 — ask for a smaller share than 0\.3$/,
  });
  await assert.rejects(refusal({}, made({ ...worldByHand(), test: ranges([4, 2, 2]) })), {
    code: 'data',
    message: /expected rows of validation and test .* got \[2, 0\] — ask for a larger share/,
  });
  await assert.rejects(refusal({}, made({ ...worldByHand(), train: new RowRanges() })), {
    code: 'data',
    message: 'memory: expected train sequences, got 0',
  });
  await assert.rejects(refusal({}, made(await refusal({}))), {
    code: 'usage',
    message: /expected a dataset with another split than by cold items/,
  });
  await assert.rejects(refusal({ signal: AbortSignal.abort() }), { code: 'aborted' });
});
