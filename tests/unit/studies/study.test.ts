/** A study that is run again: what is done is kept, and nothing is shown that was measured on something else. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { writeDataset } from '../../../src/data/index.js';
import {
  runStudy,
  type StudyHooks,
  type StudyResult,
  studySettings,
} from '../../../src/studies/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyDraft } from '../data/helper.js';

const data = join(temporaryFolder(), 'data');
before(() => writeDataset(data, tinyDraft(), { candidateCount: 5 }));

const hooks = (): StudyHooks => ({
  signal: new AbortController().signal,
  note: () => {},
  progress: () => ({ update: () => {}, end: () => {} }),
  run: { score: async () => ({ expected_hr_at_1: 0.5, ndcg_at_10: 0.5 }) },
});

function study(out: string, more: object = {}) {
  const input = { data, out, methods: ['popularity', 'cooccurrence'], ...more };
  return {
    title: 'test',
    settings: studySettings(input, 'test'),
    command: 'test',
  };
}

/** On the rows of `test`. */
const evaluationsIn = ({ sections }: StudyResult) => sections[0]!.evaluations;

/** Makes a kept measurement one that can be told from a new one. */
function mark(out: string, name: string, change = (_: { outcomes: { row: number }[] }) => {}) {
  const path = join(out, 'evaluations', `${name}.test.json`);
  const document = JSON.parse(readFileSync(path, 'utf8'));
  change(document);
  writeFileSync(path, JSON.stringify({ ...document, seconds: MARK }));
}
const MARK = 12_345;

test('what was measured is kept, and measured anew on other rows', async () => {
  const out = join(temporaryFolder(), 'study');
  await runStudy(study(out), hooks());
  mark(out, 'popularity');
  const [kept] = evaluationsIn(await runStudy(study(out), hooks()));
  assert.equal(kept!.seconds, MARK);
  mark(out, 'popularity', ({ outcomes }) => {
    outcomes[0]!.row += 1;
  });
  const [anew] = evaluationsIn(await runStudy(study(out), hooks()));
  assert.notEqual(anew!.seconds, MARK);
});

test('a run of other settings is refused, and a new one measured anew', async () => {
  const out = join(temporaryFolder(), 'study');
  await runStudy(study(out), hooks());
  await assert.rejects(runStudy(study(out, { seed: 2 }), hooks()), {
    code: 'settings',
    message: /popularity: expected the settings the run was begun with/,
  });
  mark(out, 'popularity');
  mark(out, 'cooccurrence');
  rmSync(join(out, 'popularity'), { recursive: true });
  const [anew, kept] = evaluationsIn(await runStudy(study(out), hooks()));
  assert.notEqual(anew!.seconds, MARK);
  assert.equal(kept!.seconds, MARK);
});

test('validation says which searching method is best, and examples rank all that was not had', async () => {
  const out = join(temporaryFolder(), 'study');
  const more = {
    methods: ['popularity', 'sasrec'],
    sasrec: { width: 8, blocks: 1, epochs: 1 },
    main: 'popularity',
  };
  const plain = await runStudy(study(out, more), hooks());
  assert.equal(plain.chosen, undefined);
  const asked = { ...study(out, more), isChoosing: true };
  const { chosen, methods, examples, dataset } = await runStudy(asked, hooks());
  const qualities = methods.map(({ runs }) => runs[0]!.quality as number);
  const [first, second] = qualities as [number, number];
  assert.notEqual(first, second);
  assert.equal(chosen?.variant.name, first > second ? 'popularity' : 'sasrec');
  assert.equal(examples.length, 1, 'there is one row');
  for (const [i, { history, candidates }] of examples.entries()) {
    assert.ok(history.length <= 11);
    const had = new Set(history.map(({ title }) => title));
    assert.ok(candidates.every(({ title }) => !had.has(title)));
    assert.ok(candidates.length > 5 && candidates.length < dataset.catalog.size, `example ${i}`);
    assert.equal(candidates.filter(({ isTarget }) => isTarget).length, 1);
  }
});

test('a dataset that is not there leaves no folder', async () => {
  const out = join(temporaryFolder(), 'study');
  await assert.rejects(runStudy(study(out, { data: join(out, 'none') }), hooks()), {
    code: 'file',
  });
  assert.equal(existsSync(out), false);
});
