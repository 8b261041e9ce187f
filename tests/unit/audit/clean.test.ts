/** Clean data gives no complaint, planted faults do: one test per fault, with the smallest rate that is found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditDataset, checks, type Finding } from '../../../src/audit/index.js';
import type { Dataset } from '../../../src/data/index.js';
import { faults } from './faults.js';
import { cleanUsers, complaints, datasetOf, draftOf, figure, made, ranges } from './helper.js';

const find = (dataset: Dataset, id: string): Finding =>
  checks.find((check) => check.id === id)!.run(dataset);

test('clean data gives no warning, whatever the seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
      assert.deepEqual(complaints(auditDataset(made(seed))), []);
    }),
    { numRuns: 25 },
  );
});

test('every check gives one finding under its own name, clean or not', () => {
  const findings = auditDataset(made(1));
  assert.deepEqual(
    findings.map(({ id }) => id),
    checks.map(({ id }) => id),
  );
  for (const { id, figure: shown, message } of findings) assert.ok(shown && message, id);
});

for (const [name, { id, plant, foundFrom }] of Object.entries(faults))
  test(`found: ${name}, from ${foundFrom === 0 ? 'one' : `${100 * foundFrom} %`} on`, () => {
    for (const seed of [11, 12, 13]) {
      const { severity, advice, figure: shown } = find(plant(seed, foundFrom), id);
      assert.notEqual(severity, 'info', `seed ${seed}: ${shown}`);
      assert.notEqual(advice, '');
    }
  });

for (const name of [
  'one order for all users',
  'equal times',
  'target in the history',
  'users copied under another name',
  'items that train never shows as targets',
  'ids in the order of time',
  'target at the first place',
])
  test(`severe where it is everywhere: ${name}`, () => {
    const { id, plant } = faults[name]!;
    assert.equal(find(plant(14, 1), id).severity, 'severe');
  });

test('one faulty list of candidates among hundreds is counted, whatever its fault', () => {
  const clean = cleanUsers(5);
  const plants: Record<string, (list: number[], target: number) => number[]> = {
    withoutTarget: (list, target) => list.map((item) => (item === target ? clean.size - 1 : item)),
    repeated: (list, target) =>
      list.map((item, i) => (i < 2 && item !== target ? list.find((x) => x !== target)! : item)),
  };
  for (const [fault, plant] of Object.entries(plants)) {
    const draft = draftOf(clean);
    const dataset = datasetOf(draft, {
      candidates: (list, row, split, target) =>
        split === 'test' && row === 7 ? plant([...list], target) : list,
    });
    const finding = find(dataset, 'candidate-lists');
    assert.equal(finding.severity, 'severe', fault);
    assert.equal(figure(finding, `test/${fault}`), 1, fault);
    assert.equal(finding.figures.faulty, 1, fault);
  }
});

test('lists that hold two items of one title are counted', () => {
  const dataset = made(5);
  const [one, other] = dataset.instance('test', 7).candidates as [number, number];
  dataset.catalog.items[other]!.title = dataset.catalog.items[one]!.title;
  const wanted = [...dataset.instances('test')].filter(
    ({ candidates }) => candidates.includes(one) && candidates.includes(other),
  ).length;
  const finding = find(dataset, 'candidate-lists');
  assert.ok(wanted >= 1);
  assert.equal(figure(finding, 'test/sameTitle'), wanted);
  assert.equal(finding.severity, 'severe');
});

test('a negative from the history is counted', () => {
  const draft = draftOf(cleanUsers(6));
  const { sequence, position } = draft.test.window(3);
  const [shown] = draft.sequences.itemsOf(sequence, position - 1, position);
  const dataset = datasetOf(draft, {
    candidates: (list, row, split, target) =>
      split === 'test' && row === 3
        ? list.map((item, i) => (i === list.findIndex((x) => x !== target) ? shown! : item))
        : list,
  });
  assert.equal(figure(find(dataset, 'candidate-lists'), 'test/inHistory'), 1);
});

test('a split by user of users who overlap in time is no split by time', () => {
  const dataset = made(7, (clean) => {
    clean.rule = 'by-user';
  });
  const { severity, figures } = find(dataset, 'split-time');
  assert.equal(severity, 'warning');
  assert.ok((figures.laterThanFirstHeldOutTarget as number) > 0);
  assert.equal(find(dataset, 'user-overlap').severity, 'info');
  const once = made(7, (clean) => {
    clean.rule = 'leave-one-out';
  });
  assert.equal(find(once, 'split-time').severity, 'severe');
  assert.equal(find(once, 'user-overlap').severity, 'info', 'by the rule of the split');
});

test('one user on both sides of a split by user is a leak', () => {
  const dataset = made(8, (clean) => {
    clean.rule = 'by-user';
    const byStart = clean.users.toSorted((a, b) => a.times[0]! - b.times[0]!);
    byStart.at(-1)!.name = byStart[0]!.name;
  });
  const finding = find(dataset, 'user-overlap');
  assert.equal(finding.severity, 'severe');
  assert.equal(finding.figures.sharedUsers, 1);
});

test('a held-out target inside what is trained on is a leak', () => {
  const draft = draftOf(cleanUsers(9));
  const { length } = draft.sequences.itemsOf(0);
  const faulty = {
    ...draft,
    train: ranges([0, 3, length - 1], [1, 3, 5]),
    validation: ranges([0, 4, 4]),
    test: ranges([1, 6, 6]),
  };
  const finding = find(datasetOf(faulty), 'user-overlap');
  assert.equal(finding.severity, 'severe');
  assert.equal(finding.figures.heldOutTargetsTrainedOn, 1);
});

test('a copied test window is counted once, whether or not the user has another name', () => {
  const draft = draftOf(cleanUsers(10));
  const { sequence, position } = draft.test.window(draft.test.rows - 1);
  const copy = draft.sequences.size;
  draft.sequences.add(
    'copy',
    [...draft.sequences.itemsOf(sequence, 0, position + 1)],
    Array.from({ length: position + 1 }, (_, i) => i),
  );
  draft.train.add({ sequence: copy, first: position, last: position });
  const finding = find(datasetOf(draft), 'window-overlap');
  assert.equal(finding.figures.heldOutInTrain, 1);
  assert.equal(finding.severity, 'warning');
});

test('without times what needs them is not known, and never passes for clean', () => {
  const dataset = made(15, (clean) => {
    clean.hasTimes = false;
    clean.rule = 'leave-one-out';
  });
  for (const id of ['timestamp-ties', 'split-time']) {
    const { isKnown, message } = find(dataset, id);
    assert.equal(isKnown, false, id);
    assert.match(message, /Cannot be told/);
  }
  assert.equal(find(dataset, 'one-order').isKnown, true);
});

test('ids for titles, few test rows and a sample for train are named', () => {
  const ids = made(16, (clean) => {
    clean.titles = clean.titles.map((_, id) => `i${id}`);
  });
  assert.equal(find(ids, 'empty-titles').severity, 'info', 'ids with letters might be names');
  const draft = draftOf(cleanUsers(16));
  const items = draft.items.map((item) => ({
    ...item,
    title: String(item.id),
    sourceId: String(item.id),
  }));
  assert.equal(find(datasetOf({ ...draft, items }), 'empty-titles').severity, 'warning');
  const few = { ...draft, test: ranges([0, 5, 5], [1, 5, 5]) };
  const size = find(datasetOf(few), 'test-size');
  assert.equal(size.severity, 'warning');
  assert.equal(size.figures.pointsPerTestRow, 50);
  const sample = { ...draft, notes: ['Train is a sample of 1000 rows.'] };
  assert.equal(find(datasetOf(sample), 'test-size').figures.isSample, true);
});
