/** Runs that combine other runs: how members are found, trained, recorded, and noticed when they are others. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Dataset, openDataset, writeDataset } from '../../../src/data/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import {
  openRun,
  type Run,
  RunFolder,
  readRecord,
  resolveSettings,
  trainRun,
} from '../../../src/training/index.js';
import { hooks } from '../../contracts/world.js';
import { writeBaseFolder } from '../../support/base-folder.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyDraft } from '../data/helper.js';

engineThreads(1);

const sasrec = { width: 8, blocks: 1, epochs: 1 };
const query = { history: [1, 2, 3], candidates: [4, 9, 17, 30, 5] };

const folder = temporaryFolder();
let dataset: Dataset;
let counts: Run;
let blend: Run;

const settings = (out: string, input: object) =>
  resolveSettings({ data: dataset.folder, out: join(folder, out), ...input }, 'test');
const train = (out: string, input: object, more = {}) =>
  trainRun(settings(out, input), { shared: { dataset }, ...more }, hooks());
const membersOf = ({ record }: Run) => record.members?.map(({ path }) => path);

before(async () => {
  await writeDataset(join(folder, 'data'), tinyDraft(), { candidateCount: 5, seed: 1 });
  dataset = await openDataset(join(folder, 'data'));
  counts = await train('counts', { method: 'popularity' });
  const members = [counts.folder.path, { method: 'sasrec', sasrec }];
  blend = await train('blend', { method: 'blend', members });
});

test('members are opened where a folder is named, and else trained in the run folder', async () => {
  assert.deepEqual(membersOf(blend), ['../counts', 'sasrec']);
  assert.ok(existsSync(join(blend.folder.path, 'sasrec', 'summary.json')));
  assert.deepEqual(
    blend.members?.map(({ method }) => method.name),
    ['popularity', 'sasrec'],
  );
  const { chosen } = blend.summary ?? {};
  assert.deepEqual(Object.keys(chosen ?? {}), ['popularity', 'sasrec', 'windows']);
  assert.equal(chosen?.windows, 3);
});

test('an opened run scores bit for bit as the trained one, also where all folders were moved', async () => {
  const wanted = await blend.recommender.score([query]);
  const opened = await openRun(blend.folder.path, { shared: { dataset } });
  assert.deepEqual(await opened.recommender.score([query]), wanted);
  const moved = temporaryFolder();
  for (const name of ['counts', 'blend'])
    cpSync(join(folder, name), join(moved, name), { recursive: true });
  const there = await openRun(join(moved, 'blend'), { shared: { dataset } });
  assert.deepEqual(await there.recommender.score([query]), wanted);
});

test('a run goes on with what it was begun with, and with no other members', async () => {
  const given = [counts.folder.path, { method: 'sasrec', sasrec }];
  const resume = (members: unknown[]) =>
    train('blend', { method: 'blend', members }, { resume: true });
  const again = await resume(given);
  assert.deepEqual(await again.recommender.score([query]), await blend.recommender.score([query]));
  const refused = {
    code: 'settings',
    message: /expected the (settings|members) the run was begun with/,
  };
  await assert.rejects(resume(given.toReversed()), refused);
  await assert.rejects(resume([given[1]]), refused);
  const other = await train('other', { method: 'cooccurrence' });
  await assert.rejects(resume([other.folder.path, given[1]]), refused);
});

test('a member that a stopped run left is taken, and one of other settings is refused', async () => {
  const sasrecOf = (epochs: number) => ({ method: 'sasrec', sasrec: { ...sasrec, epochs } });
  await train('stopped/sasrec', sasrecOf(1));
  const { best } = new RunFolder(join(folder, 'stopped', 'sasrec'));
  const written = statSync(best).mtimeMs;
  await assert.rejects(train('stopped', { method: 'blend', members: [sasrecOf(2)] }), {
    code: 'settings',
    message: /stopped\/sasrec: expected the settings the run was begun with/,
  });
  const run = await train('stopped', { method: 'blend', members: [sasrecOf(1)] });
  assert.deepEqual(membersOf(run), ['sasrec']);
  assert.equal(statSync(best).mtimeMs, written);
});

test('two members of one method have names and folders of their own, and seeds if they are said', async () => {
  const members = [1, 2].map((seed) => ({ method: 'sasrec', seed, sasrec }));
  const run = await train('twins', { method: 'blend', members });
  assert.deepEqual(membersOf(run), ['sasrec', 'sasrec-2']);
  assert.deepEqual(
    run.members?.map(({ record }) => record.settings.seed),
    [1, 2],
  );
  assert.deepEqual([...run.model.state().keys()], ['weight.sasrec', 'weight.sasrec-2']);
  assert.notEqual(run.record.members?.[0]?.sha256, run.record.members?.[1]?.sha256);
});

test('a member that was trained anew or went missing is noticed', async () => {
  const place = temporaryFolder();
  for (const name of ['counts', 'blend'])
    cpSync(join(folder, name), join(place, name), { recursive: true });
  const other = await train('again', { method: 'sasrec', sasrec, seed: 9 });
  cpSync(other.folder.best, join(place, 'blend', 'sasrec', 'best.safetensors'));
  await assert.rejects(openRun(join(place, 'blend'), { shared: { dataset } }), {
    code: 'data',
    message:
      /sasrec\/best\.safetensors: expected the member the run was fitted to \(sha256 \w{12}\), got "\w{12}"/,
  });
  const alone = temporaryFolder();
  cpSync(join(folder, 'blend'), join(alone, 'blend'), { recursive: true });
  await assert.rejects(openRun(join(alone, 'blend'), { shared: { dataset } }), {
    code: 'file',
    message: /counts/,
  });
});

test('runs that do not score the whole catalog, or that were fitted to validation users, are no members', async () => {
  const basePath = join(folder, 'model');
  writeBaseFolder(basePath);
  const base = await train('base', { method: 'base', dtype: 'float32' }, { basePath });
  for (const [no, name] of [
    [base, 'base'],
    [blend, 'blend'],
  ] as const)
    await assert.rejects(train(`of-${name}`, { method: 'blend', members: [no.folder.path] }), {
      code: 'usage',
      message: new RegExp(
        `members: .*${name}: expected a run that scores the whole catalog: .*sasrec.*, got "${name}"`,
      ),
    });
  for (const member of [
    ...['', 3, {}, { method: 'ilora' }, { method: 'blend' }],
    { method: 'sasrec', out: 'x' },
  ])
    assert.throws(() => settings('o', { method: 'blend', members: [member] }), {
      code: 'settings',
      message: /members\.0/,
    });
  assert.throws(() => settings('o', { method: 'blend', members: [] }), { code: 'settings' });
  assert.throws(
    () =>
      settings('o', {
        method: 'blend',
        members: [{ method: 'sasrec', sasrec: { width: 8, heads: 3 } }],
      }),
    { message: /members\.0\.sasrec\.heads: expected a divisor/ },
  );
});

test('a record without its members is damaged', () => {
  const place = temporaryFolder();
  const {
    sha256: _,
    members,
    ...record
  } = JSON.parse(readFileSync(blend.folder.run, 'utf8')) as Record<string, unknown>;
  assert.equal((members as unknown[]).length, 2);
  writeFileSync(join(place, 'run.json'), JSON.stringify(record));
  assert.throws(() => readRecord(place), { code: 'format', message: /members: expected a list/ });
});

test('validation users whose targets are all repeats leave nothing to fit to', async () => {
  const draft = tinyDraft();
  draft.sequences.itemsOf(2).fill(3);
  await writeDataset(join(folder, 'repeats'), draft, { candidateCount: 5, seed: 1 });
  const repeats = await openDataset(join(folder, 'repeats'));
  const input = { method: 'blend', members: [{ method: 'popularity' }], data: repeats.folder };
  await assert.rejects(train('of-repeats', input, { shared: { dataset: repeats } }), {
    code: 'data',
    message: /blend: validation: expected at least one window whose target is not in its history/,
  });
});
