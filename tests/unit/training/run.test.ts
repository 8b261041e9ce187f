/** From settings to a recommender on disk, and back. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type Dataset, type Instance, openDataset, writeDataset } from '../../../src/data/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import {
  openRun,
  type Run,
  type RunHooks,
  resolveSettings,
  type Settings,
  trainRun,
} from '../../../src/training/index.js';
import { loadTensors, saveTensors } from '../../../src/weights/tensor-file.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyDraft } from '../data/helper.js';

engineThreads(1);

let dataset: Dataset;
let other: Dataset;
let run: Run;

const settings = (out: string, sasrec = {}): Settings =>
  resolveSettings(
    {
      method: 'sasrec',
      data: dataset.folder,
      out,
      sasrec: { width: 8, blocks: 1, epochs: 2, ...sasrec },
    },
    'test',
  );

/** Scores rise with every validation, so the last weights are the best. */
function hooks(): RunHooks {
  let score = 0;
  return {
    score: async () => {
      score += 0.1;
      return { expected_hr_at_1: score, ndcg_at_10: score };
    },
  };
}

const rows = (): Instance[] => [...dataset.instances('validation'), ...dataset.instances('test')];

before(async () => {
  const make = async (name: string, seed: number): Promise<Dataset> => {
    const folder = join(temporaryFolder(), name);
    await writeDataset(folder, { ...tinyDraft(), name }, { candidateCount: 5, seed });
    return openDataset(folder);
  };
  dataset = await make('tiny', 1);
  other = await make('other', 2);
  run = await trainRun(settings(join(temporaryFolder(), 'run')), { shared: { dataset } }, hooks());
});

test('an opened run ranks exactly as the run that was trained', async () => {
  const opened = await openRun(run.folder.path, { shared: { dataset } });
  assert.deepEqual(await opened.recommender.score(rows()), await run.recommender.score(rows()));
  assert.deepEqual(opened.record, JSON.parse(JSON.stringify(run.record)));
  assert.equal(
    [...opened.model.state()].filter(([, { requiresGrad }]) => requiresGrad).length,
    0,
    'it is frozen',
  );
});

test('a validation shows the rows of its split, or several windows per user, under its protocol', async () => {
  const shown = async (sasrec: object): Promise<(readonly Instance[])[]> => {
    const asked: (readonly Instance[])[] = [];
    const { score } = hooks();
    const listening: RunHooks = {
      score: (recommender, instances, options) => {
        asked.push(instances);
        return score(recommender, instances, options);
      },
    };
    const own = settings(join(temporaryFolder(), 'run'), { epochs: 1, ...sasrec });
    await trainRun(own, { shared: { dataset } }, listening);
    return asked;
  };
  assert.deepEqual(await shown({}), [[...dataset.windows('validation', { perUser: 5 })]]);
  assert.deepEqual(await shown({ validation_windows: 2, protocol: 'history' }), [
    [...dataset.windows('validation', { perUser: 2, protocol: 'history' })],
  ]);
});

test('an opened run finds its dataset by itself', async () => {
  const opened = await openRun(run.folder.path);
  assert.equal(opened.dataset.hash, dataset.hash);
});

test('equal settings give equal weights, another seed others', async () => {
  const scores = async (seed: number): Promise<unknown> => {
    const again = { ...settings(join(temporaryFolder(), 'run')), seed };
    return (await trainRun(again, { shared: { dataset } }, hooks())).recommender.score(rows());
  };
  assert.deepEqual(await scores(1), await run.recommender.score(rows()));
  assert.notDeepEqual(await scores(2), await run.recommender.score(rows()));
});

test('a folder that holds a run is not trained into, nor resumed with other settings', async () => {
  const again = settings(run.folder.path);
  await assert.rejects(trainRun(again, { shared: { dataset } }, hooks()), { code: 'usage' });
  await assert.rejects(
    trainRun(
      settings(run.folder.path, { width: 16 }),
      { shared: { dataset }, resume: true },
      hooks(),
    ),
    { code: 'settings', message: /expected the settings the run was begun with/ },
  );
  const resumed = await trainRun(again, { shared: { dataset }, resume: true }, hooks());
  assert.deepEqual(await resumed.recommender.score(rows()), await run.recommender.score(rows()));
});

test('another dataset, a run without weights and a record that is none are refused', async () => {
  await assert.rejects(openRun(run.folder.path, { shared: { dataset: other } }), {
    code: 'data',
    message: /expected the dataset it was trained on/,
  });
  const broken = await trainRun(
    settings(join(temporaryFolder(), 'run')),
    { shared: { dataset } },
    hooks(),
  );
  rmSync(broken.folder.best);
  await assert.rejects(openRun(broken.folder.path, { shared: { dataset } }), {
    code: 'file',
    message: /best\.safetensors/,
  });
  for (const text of ['{', '{"format":"other"}', 'null'])
    await assert.rejects(
      async () => {
        writeFileSync(broken.folder.run, text);
        await openRun(broken.folder.path);
      },
      { code: 'format' },
      text,
    );
  await assert.rejects(openRun(join(broken.folder.path, 'nowhere')), { code: 'file' });
});

test('a changed byte of the record, of the best weights or of the recommender behind the gate is noticed', async () => {
  const { folder } = await trainRun(
    settings(join(temporaryFolder(), 'run')),
    { shared: { dataset } },
    hooks(),
  );
  for (const path of [folder.run, folder.best]) {
    const whole = readFileSync(path);
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.from(whole);
      const at = Math.floor((i * whole.length) / 40);
      bytes[at]! ^= 1 << (i % 8);
      writeFileSync(path, bytes);
      await assert.rejects(
        openRun(folder.path, { shared: { dataset } }),
        (error: Error & { code?: string }) => {
          assert.ok(
            ['format', 'settings'].includes(error.code ?? ''),
            `${path} at ${at}: ${error}`,
          );
          assert.ok(error.message.includes(path), error.message);
          return true;
        },
        `${path} at ${at}`,
      );
    }
    writeFileSync(path, whole);
  }
  await openRun(folder.path, { shared: { dataset } });
});

test('records and best weights of earlier versions, without a seal, are opened', async () => {
  const { folder, recommender } = await trainRun(
    settings(join(temporaryFolder(), 'run')),
    { shared: { dataset } },
    hooks(),
  );
  const { sha256, ...record } = JSON.parse(readFileSync(folder.run, 'utf8')) as { sha256: string };
  assert.match(sha256, /^[0-9a-f]{64}$/);
  writeFileSync(folder.run, JSON.stringify(record));
  saveTensors(folder.best, loadTensors(folder.best).tensors);
  const opened = await openRun(folder.path, { shared: { dataset } });
  assert.deepEqual(await opened.recommender.score(rows()), await recommender.score(rows()));
});

test('a sequence model is chosen by expected HR@1 on several windows per validation user', async () => {
  const asked: { rows: number; protocol: unknown; options: object }[] = [];
  const score: RunHooks['score'] = async (_, instances, options) => {
    asked.push({ rows: instances.length, protocol: instances[0]!.protocol, options });
    return { hr_at_1: asked.length, expected_hr_at_1: -asked.length };
  };
  const trained = async (sasrec: object) => {
    const out = join(temporaryFolder(), 'chosen');
    const { summary } = await trainRun(settings(out, sasrec), { shared: { dataset } }, { score });
    return summary!;
  };
  // Two epochs; the first validation is the best one.
  const { steps, bestStep, bestScore } = await trained({ batchSize: 1 });
  assert.deepEqual([bestStep, bestScore], [steps / 2, -1]);
  assert.deepEqual(asked[0], { rows: 3, protocol: 'window', options: { catalogSize: 40 } });
  asked.length = 0;
  const last = await trained({ batchSize: 1, select: 'hr_at_1', validationWindows: 1 });
  assert.deepEqual([last.bestStep, last.bestScore], [last.steps, 2]);
  assert.deepEqual(asked[0], { rows: 1, protocol: 'window', options: {} });
});

test('a validation that does not tell what is chosen by is an error, not a zero', async () => {
  const out = join(temporaryFolder(), 'untold');
  const training = trainRun(
    settings(out),
    { shared: { dataset } },
    { score: async () => ({ hr_at_1: 1 }) },
  );
  await assert.rejects(training, /a validation without expected_hr_at_1/);
});
