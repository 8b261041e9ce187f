/** Run folders: run.json, metrics.jsonl, summary and weights of a small SASRec. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Dataset, openDataset, writeDataset } from '../../src/data/index.js';
import { openRun, RunFolder, resolveSettings, trainRun } from '../../src/training/index.js';
import { type Case, type Content, caseFrom, caseOf } from './case.js';
import { smallDraft } from './dataset-seed.js';
import { inFolder } from './seed.js';
import type { Target } from './target.js';

const FILES = ['run.json', 'metrics.jsonl', 'summary.json', 'best.safetensors'] as const;
let dataset: Dataset | undefined;
let made: Promise<Case> | undefined;
let accepted = 0;

/** A finished run over the small dataset, whose parts stay in memory. */
function finishedRun(): Promise<Case> {
  made ??= inFolder(async (folder) => {
    const data = join(folder, 'data');
    await writeDataset(data, smallDraft(true), { candidateCount: 4 });
    dataset = await openDataset(data);
    const out = join(folder, 'run');
    const sasrec = { width: 4, blocks: 1, heads: 1, epochs: 1 };
    const settings = resolveSettings({ method: 'sasrec', data, out, sasrec }, 'fuzz');
    await trainRun(
      settings,
      { shared: { dataset } },
      {
        score: async () => ({ expected_hr_at_1: 0.5, ndcg_at_10: 0.5 }),
      },
    );
    return caseFrom(out, FILES);
  });
  return made;
}

const target: Target = {
  name: 'run',
  sources: {
    'training/run-record.ts': ['describe', 'begin', 'strip', 'hashOf'],
    'training/run-folder.ts': [
      '#readMetrics',
      'rewindMetrics',
      'sealMetrics',
      'get summary',
      'get path',
      'prepare',
      'whileLocked',
      'take',
      'writeJson',
      'log',
      'get metricsBytes',
      'get checkpoints',
    ],
    'training/settings.ts': ['readSettings', 'readDocument', 'settingsJsonSchema'],
  },
  seeds: async () => [await finishedRun()],
  async read(folder) {
    const run = await openRun(folder, { shared: { dataset: dataset! } });
    new RunFolder(folder).readMetrics();
    if (accepted++ % 20 !== 0) return;
    const [ranking] = await run.recommender.score([dataset!.instance('test', 0)]);
    if (ranking?.scores.length !== 4) throw new Error('no scores');
  },
  /** The record holds its own hash. */
  seal(input: Map<string, Content>) {
    const content = input.get('run.json');
    if (typeof content !== 'object') return;
    try {
      input.set('run.json', sealed(JSON.parse(content.toString())));
    } catch {
      // What is no JSON stays as it is.
    }
  },
  async heavy() {
    const seed = await finishedRun();
    const record = JSON.parse(String(seed.get('run.json'))) as {
      settings: { sasrec: Record<string, number> };
    };
    const change = (sasrec: Record<string, number>): Case => {
      const changed = structuredClone(record);
      Object.assign(changed.settings.sasrec, sasrec);
      return new Map<string, Content>([...seed, ['run.json', sealed(changed)]]);
    };
    return {
      'promises a width of 2^40': change({ width: 2 ** 40 }),
      'promises a width of 2^20': change({ width: 2 ** 20 }),
      'promises 2^20 blocks': change({ blocks: 2 ** 20 }),
      'metrics of one million empty objects': new Map([
        ...seed,
        ...caseOf({ 'metrics.jsonl': '{}\n'.repeat(1 << 20) }),
      ]),
    };
  },
};
export default target;

function sealed(record: object): Buffer {
  const { sha256: _, ...content } = record as { sha256?: unknown };
  const seal = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return Buffer.from(`${JSON.stringify({ ...content, sha256: seal }, null, 2)}\n`);
}
