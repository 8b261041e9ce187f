/**
 * What is known about the published data is found, figure by figure; the facts are those of the
 * description that lies beside the data.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { auditDataset, type Finding } from '../../../src/audit/index.js';
import { readPublishedFolder } from '../../../src/data/index.js';
import { datasetOf, figure, shared, skipShared as skip } from './helper.js';

type Audit = (id: string) => Finding;

/** Audits a published folder once for all tests of a block. */
function audited(name: string): Audit {
  let findings: Finding[] = [];
  before(async () => {
    if (skip === false)
      findings = auditDataset(datasetOf(await readPublishedFolder(join(shared, name))));
  });
  return (id) => findings.find((finding) => finding.id === id)!;
}

const rounded = (value: unknown, digits = 2): number => Number((value as number).toFixed(digits));

describe('MovieLens', { skip }, () => {
  const found = audited('movielens');

  test('47 % of train targets and 39 of 95 test targets have the time of the item before', () => {
    const ties = found('timestamp-ties');
    assert.equal(ties.severity, 'severe');
    assert.equal(figure(ties, 'train/tied'), 31_275);
    assert.equal(figure(ties, 'train/rows'), 66_126);
    assert.equal(figure(ties, 'test/tied'), 39);
    assert.equal(figure(ties, 'test/rows'), 95);
  });

  test('2,250 of 68,388 train interactions are later than the first of validation', () => {
    const { severity, figures } = found('split-time');
    assert.equal(severity, 'warning');
    assert.equal(figures.laterThanFirstHeldOutInteraction, 2250);
    assert.equal(figures.trainInteractions, 68_388);
  });

  test('18 titles occur under two ids', () => {
    const { severity, figures } = found('duplicate-titles');
    assert.equal(severity, 'warning');
    assert.equal(figures.titlesInSource, 18);
    assert.ok((figures.titles as number) >= 18, 'without the year there are more');
  });

  test('1,525 items occur in train, and two test targets never do', () => {
    const { figures } = found('cold-items');
    assert.equal(figures.itemsInTrain, 1525);
    assert.equal((figures.test as { coldTargets: number }).coldTargets, 2);
    assert.equal((figures.validation as { coldTargets: number }).coldTargets, 0);
  });

  test('one of the 95 test rows is 1.05 points of HR@1', () => {
    const { severity, figures } = found('test-size');
    assert.equal(severity, 'warning');
    assert.equal(rounded(figures.pointsPerTestRow), 1.05);
  });

  test('train sequences have 6 to 509 items, median 57', () => {
    const { figures } = found('heavy-users');
    assert.deepEqual([figures.shortest, figures.median, figures.longest], [6, 57, 509]);
  });

  test('no target is in its history, no window is held out and trained on, no user on both sides', () => {
    for (const split of ['train', 'validation', 'test']) {
      assert.equal(figure(found('target-in-history'), `${split}/shown`), 0);
      assert.equal(figure(found('target-in-history'), `${split}/historyRepeats`), 0);
    }
    const { figures } = found('window-overlap');
    assert.deepEqual(
      [figures.heldOutInTrain, figures.sharedByValidationAndTest, figures.repeatedInTrain],
      [0, 0, 0],
    );
    assert.equal(found('user-overlap').figures.sharedUsers, 0);
    assert.equal(found('user-overlap').isKnown, true);
  });

  test('users meet films in different orders', () => {
    const { severity, figures } = found('one-order');
    assert.equal(severity, 'info');
    assert.ok((figures.agreement as number) < 0.65);
  });
});

describe('Last.fm', { skip }, () => {
  const found = audited('lastfm');

  test('all users share one order: no pair of artists is ever reversed', () => {
    const { severity, figures } = found('one-order');
    assert.equal(severity, 'severe');
    assert.equal(figures.pairsReversed, 0);
    assert.ok((figures.pairs as number) > 500_000);
    assert.ok((figures.shareByChance as number) < 0.5);
  });

  test('without times ties and the split cannot be told', () => {
    for (const id of ['timestamp-ties', 'split-time']) assert.equal(found(id).isKnown, false, id);
    assert.equal(found('user-overlap').isKnown, false);
  });

  test('ids follow each other: 9 % of train and 5 % of test targets are the last id + 1', () => {
    const leak = found('id-leak');
    assert.equal(leak.severity, 'warning');
    assert.equal(rounded(figure(leak, 'targetIsLastIdPlusOne/train/share')), 0.09);
    assert.equal(rounded(figure(leak, 'targetIsLastIdPlusOne/test/share')), 0.05);
  });

  test('the longest tenth of the users supplies 51 % of the interactions', () => {
    const { severity, figures } = found('heavy-users');
    assert.equal(severity, 'warning');
    assert.equal(Math.floor(100 * (figures.shareOfLongestTenth as number)), 51);
    assert.deepEqual([figures.sequences, figures.interactions], [976, 50_800]);
    assert.deepEqual([figures.shortest, figures.median, figures.longest], [4, 18, 986]);
  });

  test('16 train rows are repeats; one validation history is in train with another target', () => {
    const { figures } = found('window-overlap');
    assert.equal(figures.repeatedInTrain, 16);
    assert.equal(figures.historyInTrainWithAnotherTarget, 1);
    assert.equal(figures.heldOutInTrain, 0);
  });

  test('titles: no duplicates, no entities, 196 beyond ASCII', () => {
    assert.equal(found('duplicate-titles').figures.titles, 0);
    assert.equal(found('odd-titles').figures.withEntities, 0);
    assert.equal(found('odd-titles').figures.notAscii, 196);
    assert.equal(found('odd-titles').severity, 'info');
  });
});

describe('Steam', { skip }, () => {
  const found = audited('steam');

  test('the train sample covers 2,159 of 3,581 items; 128 test and 148 validation targets are cold', () => {
    const cold = found('cold-items');
    assert.equal(cold.severity, 'warning');
    assert.equal(cold.figures.itemsInTrain, 2159);
    assert.equal(cold.figures.items, 3581);
    assert.equal(figure(cold, 'test/coldTargets'), 128);
    assert.equal(figure(cold, 'validation/coldTargets'), 148);
  });

  test('train is a sample of 1,000 rows', () => {
    const { severity, figures } = found('test-size');
    assert.equal(severity, 'warning');
    assert.deepEqual([figures.trainRows, figures.testRows, figures.isSample], [1000, 1186, true]);
  });

  test('one pair of titles differs in letter case only', () => {
    const { figures } = found('duplicate-titles');
    assert.deepEqual([figures.titles, figures.differByCaseOnly, figures.items], [1, 1, 2]);
  });

  test('no repeated rows, no entities left, and whose the rows are cannot be told', () => {
    assert.equal(found('window-overlap').figures.repeatedInTrain, 0);
    assert.equal(found('odd-titles').figures.withEntities, 0);
    assert.equal(found('user-overlap').isKnown, false);
    for (const id of ['timestamp-ties', 'split-time']) assert.equal(found(id).isKnown, false, id);
  });

  test('no target is in its history; in the older version, rebuilt here, it would be found', async () => {
    assert.equal(figure(found('target-in-history'), 'test/shown'), 0);
    const draft = await readPublishedFolder(join(shared, 'steam'));
    // The older files repeat the target as the last history item in 567 of the test rows.
    for (let row = 0; row < 567; row++) {
      const { sequence, position } = draft.test.window(row);
      const items = draft.sequences.itemsOf(sequence);
      items[position - 1] = items[position]!;
    }
    const findings = auditDataset(datasetOf(draft));
    const older = findings.find(({ id }) => id === 'target-in-history')!;
    assert.equal(older.severity, 'severe');
    assert.equal(figure(older, 'test/last'), 567);
  });
});
