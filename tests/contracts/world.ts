/** One small dataset, one small base, and every method of the registry trained on them through its own run. */
import { join } from 'node:path';
import { type Dataset, openDataset, writeDataset } from '../../src/data/index.js';
import { METHODS, type Method } from '../../src/recommenders/index.js';
import { type Run, type RunHooks, resolveSettings, trainRun } from '../../src/training/index.js';
import { writeBaseFolder } from '../support/base-folder.js';
import { temporaryFolder } from '../support/folder.js';
import { tinyDraft } from '../unit/data/helper.js';

/** Training takes every validation for better than the one before. */
export function hooks(signal?: AbortSignal): RunHooks {
  let score = 0;
  return {
    score: async () => {
      score += 0.1;
      return { expected_hr_at_1: score, ndcg_at_10: score };
    },
    ...(signal && { signal }),
  };
}

export interface World {
  dataset: Dataset;
  basePath: string;
  runs: ReadonlyMap<string, Run>;
}

/** A dataset of 40 items, some of which no training sequence has. */
export async function makeWorld(): Promise<World> {
  const folder = temporaryFolder();
  await writeDataset(join(folder, 'data'), tinyDraft(), { candidateCount: 5, seed: 1 });
  const dataset = await openDataset(join(folder, 'data'));
  const basePath = join(folder, 'model');
  writeBaseFolder(basePath);
  const runs = new Map<string, Run>();
  for (const method of METHODS) {
    const settings = smallSettings(method, dataset, join(folder, method.name));
    runs.set(method.name, await trainRun(settings, { shared: { dataset }, basePath }, hooks()));
  }
  return { dataset, basePath, runs };
}

/** Settings of a method on the smallest budget. */
export function smallSettings(method: Method, dataset: Dataset, out: string) {
  const input = { method: method.name, data: dataset.folder, out, ...smallSections(method) };
  return resolveSettings(input, method.name);
}

function smallSections(method: Method): Record<string, unknown> {
  const sequence = { width: 8, epochs: 1 };
  const windows = { windows: 4, batchSize: 2, validateEvery: 4, validationRows: 1, workers: 1 };
  const chunks = { epochs: 1, batchSize: 2, validations: 1, validationWindows: 1, workers: 1 };
  const { shape, learning, needs, name } = method;
  return {
    ...(needs.base && { dtype: 'float32' }),
    ...(needs.encoder && { encoder: { method: 'sasrec', sasrec: sequence } }),
    ...(needs.members && {
      members: ['popularity', 'cooccurrence', { method: 'sasrec', sasrec: sequence }].map((each) =>
        typeof each === 'string' ? { method: each } : each,
      ),
    }),
    ...('adapter' in shape && { adapter: { rank: 4 } }),
    ...(needs.base &&
      learning.kind === 'gradients' && { training: 'reading' in shape ? chunks : windows }),
    ...(!needs.base && learning.kind === 'gradients' && { [name]: sequence }),
  };
}
