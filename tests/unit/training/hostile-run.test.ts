/** Run folders and checkpoints that someone else made, or changed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { type Dataset, openDataset, writeDataset } from '../../../src/data/index.js';
import { Adam } from '../../../src/optim/index.js';
import { SequenceLearner } from '../../../src/recommenders/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { loadLatestCheckpoint, saveCheckpoint } from '../../../src/training/checkpoint.js';
import {
  openRun,
  RunFolder,
  readSettings,
  resolveSettings,
  trainRun,
} from '../../../src/training/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinySasrec } from '../../support/models.js';
import { tinyDraft } from '../data/helper.js';

engineThreads(1);

type Json = Record<string, unknown>;
let dataset: Dataset;
let finished: string;

before(async () => {
  const data = join(temporaryFolder(), 'data');
  await writeDataset(data, tinyDraft(), { candidateCount: 5 });
  dataset = await openDataset(data);
  finished = join(temporaryFolder(), 'run');
  const sasrec = { width: 8, blocks: 1, epochs: 1 };
  await trainRun(
    resolveSettings({ method: 'sasrec', data, out: finished, sasrec }, 'test'),
    { shared: { dataset } },
    { score: async () => ({ expected_hr_at_1: 0, ndcg_at_10: 0 }) },
  );
});

/** A copy of the finished run with another record. */
function changed(change: (record: Json) => void): string {
  const path = join(temporaryFolder(), 'run');
  cpSync(finished, path, { recursive: true });
  const record = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')) as Json;
  change(record);
  const { sha256, ...content } = record;
  assert.equal(typeof sha256, 'string');
  const seal = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  writeFileSync(
    join(path, 'run.json'),
    `${JSON.stringify({ ...content, sha256: seal }, null, 2)}\n`,
  );
  return path;
}

const refuses = (path: string, message: RegExp): Promise<void> =>
  assert.rejects(openRun(path, { shared: { dataset } }), { code: 'format', message });

describe('run.json', () => {
  it('names what is missing', async () => {
    await refuses(
      changed((record) => {
        delete record.dataset;
        record.engine = [];
      }),
      /run\.json: 2 problems\n {2}dataset: .*\n {2}engine: /,
    );
    await refuses(
      changed((record) => {
        record.dataset = { name: 'a', hash: 5 };
      }),
      /dataset\.hash: /,
    );
  });
  it('cannot make room for a model that its weights do not fill', async () => {
    for (const sasrec of [{ width: 2 ** 40 }, { width: 2 ** 16 }, { blocks: 2 ** 20 }])
      await refuses(
        changed((record) => Object.assign((record.settings as { sasrec: Json }).sasrec, sasrec)),
        /run\.json: settings: expected a model that \d+ bytes of best\.safetensors can fill/,
      );
  });
  it('is not nested deeper than the stack', async () => {
    const path = changed(() => undefined);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    writeFileSync(join(path, 'run.json'), `{"format":"ilora-run-1","settings":${deep}}`);
    await refuses(path, /run\.json: character \d+: expected at most 500 lists and objects/);
  });
  it('may be no pipe', async () => {
    const path = changed(() => undefined);
    rmSync(join(path, 'run.json'));
    spawnSync('mkfifo', [join(path, 'run.json')]);
    await assert.rejects(openRun(path), { code: 'file', message: /run\.json: .*got a pipe/ });
  });
});

it('metrics.jsonl names the line that is no object', () => {
  for (const line of ['{"kind":', '5', '[]', 'null']) {
    const folder = new RunFolder(temporaryFolder());
    writeFileSync(folder.metrics, `{"kind":"step"}\n${line}\n`);
    assert.throws(() => folder.readMetrics(), {
      code: 'format',
      message: /metrics\.jsonl:2: expected (a JSON object|JSON), got /,
    });
  }
});

describe('a checkpoint', () => {
  const model = tinySasrec();
  const learner = new SequenceLearner(model, [], {
    learningRate: 1,
    weightDecay: 0,
    loss: 'softmax',
  });
  const optimizer = new Adam(learner.parameterGroups());

  /** A checkpoint with a changed state, sealed again. */
  function forged(change: (state: Json) => void): string {
    const folder = temporaryFolder();
    saveCheckpoint(folder, learner, optimizer, {
      step: 3,
      metricsBytes: 0,
      badValidations: 0,
      seconds: 1,
    });
    const path = join(folder, 'step-00000003');
    const state = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as Json;
    change(state);
    const text = JSON.stringify(state);
    writeFileSync(join(path, 'state.json'), text);
    const complete = join(path, 'complete.json');
    const hashes = JSON.parse(readFileSync(complete, 'utf8')) as Json;
    hashes['state.json'] = createHash('sha256').update(text).digest('hex');
    writeFileSync(complete, `${JSON.stringify(hashes)}\n`);
    return folder;
  }
  const load = (folder: string): unknown => loadLatestCheckpoint(folder, learner, optimizer);

  it('is loaded as it was saved', () => assert.ok(load(forged(() => undefined))));
  it('has a state that training can go on from', () => {
    for (const [change, message] of [
      [{ step: -1 }, /state\.json: 1 problem\n {2}step: /],
      [{ step: 'x', seconds: null }, /state\.json: 2 problems\n {2}step: .*\n {2}seconds: /],
      [{ adamSteps: { a: 0.5 } }, /adamSteps\.a: /],
      [{ adamSteps: {} }, /adamSteps: expected the steps of .*, got nothing/],
    ] as const)
      assert.throws(() => load(forged((state) => Object.assign(state, change))), {
        code: 'format',
        message,
      });
  });
  it('lies in a folder', () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    assert.throws(() => load(path), { code: 'file', message: /expected a folder of checkpoints/ });
  });
  it('may hold no pipe', () => {
    const folder = forged(() => undefined);
    const path = join(folder, 'step-00000003', 'model.safetensors');
    rmSync(path);
    spawnSync('mkfifo', [path]);
    assert.throws(() => load(folder), { code: 'format', message: /got a pipe/ });
  });
});

describe('settings in YAML', () => {
  const refusesText = (text: string, message: RegExp): void => {
    const path = join(temporaryFolder(), 'settings.yaml');
    writeFileSync(path, text);
    assert.throws(() => readSettings(path), { message });
  };
  it('name an alias without an anchor', () =>
    refusesText('method: *a\n', /settings\.yaml: 1 problem\n.*Unresolved alias/));
  it('do not unfold aliases of aliases', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf'])
      lines.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`);
    refusesText(lines.join('\n'), /expected YAML that can be read, got .*alias/);
  });
  it('are not nested deeper than the stack', () => {
    for (const text of [
      `a: 1\nmethod: ${'['.repeat(50_000)}`,
      `a: 1\nmethod: ${'{a: '.repeat(50_000)}`,
      `method:\n  ${'- '.repeat(50_000)}x`,
    ])
      refusesText(text, /settings\.yaml:2: 1 problem\n {2}expected at most 8 lists and maps/);
  });
  it('name a key that stands there twice, at once also among thousands', () => {
    refusesText('method: ilora\ntraining: {seed: 1, seed: 2}\n', /seed: expected the key once/);
    const started = process.cpuUsage();
    refusesText(
      Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n'),
      /settings\.yaml: \d+ problems/,
    );
    assert.ok(process.cpuUsage(started).user < 8e6);
  });
  it('do not take twice as long for every list left open', () => {
    const started = process.cpuUsage();
    const text = `a:\n  b]${'  c: [a, {{{{b]'.repeat(12)}\n\n{"a":1}\n`;
    refusesText(text, /settings\.yaml:2: 1 problem/);
    assert.ok(process.cpuUsage(started).user < 3e6);
  });
  it('list at most fifty of their faults', () =>
    refusesText(
      Array.from({ length: 200 }, (_, i) => `k${i}: 1`).join('\n'),
      /: \d+ problems\n(?: {2}.*\n){50} {2}\.\.\. and \d+ more$/,
    ));
  it('are refused beyond a size that nobody writes', () =>
    refusesText(`# ${'x'.repeat(300_000)}`, /expected at most 262144 bytes, got 300002/));
});
