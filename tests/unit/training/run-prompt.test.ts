/** A run keeps the prompt template that it learned from. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Dataset, openDataset, writeDataset } from '../../../src/data/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { openRun, type Run, resolveSettings, trainRun } from '../../../src/training/index.js';
import { writeBaseFolder } from '../../support/base-folder.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyDraft } from '../data/helper.js';

engineThreads(1);

const TEMPLATE = `name: eiga
language: ja
wordings:
  - "見た：{history}。候補：{candidates}。次："
separator: 、
`;

const folder = temporaryFolder();
const template = join(folder, 'eiga.yaml');
const basePath = join(folder, 'model');
let dataset: Dataset;
let run: Run;

const train = (out: string, { prompt = template, resume = false } = {}): Promise<Run> =>
  trainRun(
    resolveSettings(
      { method: 'base', data: dataset.folder, out: join(folder, out), prompt },
      'test',
    ),
    { shared: { dataset }, basePath, resume },
    { score: async () => ({ expected_hr_at_1: 1, ndcg_at_10: 1 }) },
  );
const prompt = ({ model }: Run): unknown => {
  const [instance] = dataset.instances('test');
  const { recommender } = model as unknown as {
    recommender: { prompt(query: unknown): { ids: number[] } };
  };
  return recommender.prompt(instance).ids;
};

before(async () => {
  await writeDataset(join(folder, 'data'), tinyDraft(), { candidateCount: 5, seed: 1 });
  dataset = await openDataset(join(folder, 'data'));
  writeBaseFolder(basePath);
  writeFileSync(template, TEMPLATE);
  run = await train('run');
});

test('a run can be moved and opened when the template is gone', async () => {
  const moved = join(folder, 'moved');
  cpSync(run.folder.path, moved, { recursive: true });
  rmSync(template);
  const opened = await openRun(moved);
  writeFileSync(template, TEMPLATE);
  assert.deepEqual(prompt(opened), prompt(run));
  assert.deepEqual(opened.record.prompt, run.record.prompt);
});

test('a changed template is refused, a comment is no change', async () => {
  writeFileSync(run.folder.prompt, `# kept\n${TEMPLATE}`);
  await openRun(run.folder.path);
  writeFileSync(run.folder.prompt, TEMPLATE.replace('見た', '観た'));
  await assert.rejects(openRun(run.folder.path), {
    code: 'data',
    message: /prompt\.yaml: expected the prompt template the run was trained with \(sha256/,
  });
  rmSync(run.folder.prompt);
  await assert.rejects(openRun(run.folder.path), { code: 'file', message: /prompt\.yaml/ });
  writeFileSync(run.folder.prompt, TEMPLATE);
});

test('a resumed run may find its template elsewhere, but not another one', async () => {
  const elsewhere = join(folder, 'elsewhere.yaml');
  writeFileSync(elsewhere, TEMPLATE);
  await train('run', { prompt: elsewhere, resume: true });
  await assert.rejects(train('run', { prompt: 'movie', resume: true }), {
    code: 'settings',
    message: /expected the prompt the run was begun with/,
  });
});

test('a run of an earlier version, without hash and copy, is opened by the name of its template', async () => {
  const early = await train('early', { prompt: 'movie' });
  assert.ok(existsSync(early.folder.prompt));
  rmSync(early.folder.prompt);
  const { sha256: _, prompt: __, ...record } = JSON.parse(readFileSync(early.folder.run, 'utf8'));
  writeFileSync(early.folder.run, JSON.stringify(record));
  const opened = await openRun(early.folder.path);
  assert.deepEqual(prompt(opened), prompt(early));
  assert.equal(opened.record.prompt, undefined);
});
