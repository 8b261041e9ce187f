/**
 * The whole job through the command line on real data with the real model, on a tiny budget.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { ilora, interrupted } from './command.js';

const share = z.number().min(0).max(1);
/** The document of `quickstart --json`. */
const documentSchema = z.object({
  dataset: z.object({
    name: z.string(),
    rows: z.object({ train: z.literal(66126), validation: z.literal(94), test: z.literal(95) }),
  }),
  base: z.object({ name: z.literal('smollm2-135m'), parameters: z.literal(134515008) }),
  methods: z.array(
    z.object({
      name: z.string(),
      rows: z.int().positive(),
      hr_at_1: share,
      expected_hr_at_1: share.optional(),
      hr_at_1_interval: z.tuple([share, share]),
      valid_ratio: share,
      ndcg_at_10: share,
      trainable_parameters: z.int().min(0),
      seconds: z.number().positive(),
    }),
  ),
  chosen: z.enum(['popularity', 'cooccurrence', 'sasrec', 'streaming-ilora', 'blend']),
  report: z.string(),
  seconds: z.number().positive(),
});

const folder = mkdtempSync(join(tmpdir(), 'ilora-pipeline-'));
const out = join(folder, 'quickstart');
const run = join(out, 'ilora');

describe('ilora quickstart --smoke', () => {
  let stdout = '';
  before(() => {
    const result = ilora(['quickstart', '--smoke', '--json', '--out', out]);
    assert.equal(result.status, 0, result.stderr);
    stdout = result.stdout;
  });
  after(() => rmSync(folder, { recursive: true }));

  it('prints one document with all methods', () => {
    const document = documentSchema.parse(JSON.parse(stdout));
    assert.deepEqual(
      document.methods.map(({ name }) => name),
      ['popularity', 'cooccurrence', 'sasrec', 'lora', 'ilora', 'streaming-ilora', 'blend'],
    );
    for (const {
      name,
      hr_at_1,
      hr_at_1_interval: [low, high],
    } of document.methods) {
      assert.ok(low <= hr_at_1 && hr_at_1 <= high, name);
    }
    const [lora, ilora] = document.methods.slice(3);
    // The linear gate is all that iLoRA adds: 4 experts × 64.
    assert.equal((ilora?.trainable_parameters ?? 0) - (lora?.trainable_parameters ?? 0), 256);
  });

  it('writes a report that loads nothing', () => {
    const { report } = JSON.parse(stdout) as { report: string };
    const html = readFileSync(report, 'utf8');
    for (const part of ['SASRec', 'iLoRA', 'Co-occurrence', '<svg'])
      assert.ok(html.includes(part), part);
    assert.doesNotMatch(html, /(src|href)="https?:/);
  });

  it('refuses to write over itself', () => {
    const result = ilora(['quickstart', '--smoke', '--out', out]);
    assert.equal(result.status, 2);
    assert.match(result.stderr, /--resume/);
  });

  it('leaves a run that recommends, with expert weights', () => {
    const result = ilora([
      'recommend',
      '--run',
      run,
      '--history',
      'toy story; Aladin; Lion King, The',
      '--retrieve',
      '8',
      '--json',
    ]);
    assert.equal(result.status, 0, result.stderr);
    const { ranked, expert_weights } = JSON.parse(result.stdout) as {
      ranked: { score: number }[];
      expert_weights: number[];
    };
    assert.equal(ranked.length, 8);
    for (const [i, { score }] of ranked.entries())
      assert.ok(i === 0 || score <= (ranked[i - 1]?.score ?? 0));
    assert.equal(expert_weights.length, 4);
    assert.ok(Math.abs(expert_weights.reduce((a, b) => a + b) - 1) < 1e-5);
    assert.match(result.stderr, /"Aladin" is taken for "Aladdin \(1992\)"/);
  });

  it('ranks what another run finds, and says where that cannot be', () => {
    const history = ['--history', 'Toy Story; Aladdin', '--json'];
    const counts = join(out, 'cooccurrence');
    const found = (args: readonly string[]): number[] => {
      const result = ilora(['recommend', ...args, ...history, '--retrieve', '5']);
      assert.equal(result.status, 0, result.stderr);
      const { ranked } = JSON.parse(result.stdout) as { ranked: { item: number }[] };
      return ranked.map(({ item }) => item);
    };
    const own = found(['--run', counts]);
    const ranked = found(['--run', join(out, 'sasrec'), '--retriever', counts]);
    assert.deepEqual(ranked.toSorted(), own.toSorted());
    const titles = join(folder, 'titles.txt');
    writeFileSync(titles, 'Toy Story\n');
    const both = ['--run', run, '--retriever', counts, '--candidates', titles];
    const refused = ilora(['recommend', ...both, ...history]);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /--retriever: expected a search without --candidates/);
  });

  it('names every title it does not know', () => {
    const result = ilora([
      'recommend',
      '--run',
      run,
      '--history',
      'Xyzzy Plugh; Star Trek; Toy Story',
    ]);
    assert.equal(result.status, 1);
    assert.match(result.stderr, /2 problems/);
    assert.match(result.stderr, /"Xyzzy Plugh": no such title/);
    assert.match(result.stderr, /"Star Trek": could be "Star Trek/);
  });

  it('says what is wrong when libtorch is missing', () => {
    const env = { LIBTORCH: join(folder, 'nowhere') };
    const result = ilora(['recommend', '--run', run, '--history', 'Toy Story'], { env });
    assert.equal(result.status, 1);
    assert.match(
      result.stderr,
      /LIBTORCH: expected a folder with include\/ATen and lib\/libtorch_cpu\.so, got/,
    );
  });

  it('is evaluated by scoring and by generation', () => {
    const result = ilora(['evaluate', '--run', run, '--rows', '2', '--generate', '--json']);
    assert.equal(result.status, 0, result.stderr);
    const { evaluations } = JSON.parse(result.stdout) as {
      evaluations: { method: string; mode: string; num_rows: number }[];
    };
    assert.deepEqual(
      evaluations.map(({ method }) => method),
      ['popularity', 'cooccurrence', 'ilora', 'ilora (generated)'],
    );
    assert.ok(evaluations.every(({ num_rows }) => num_rows === 2));
  });

  it('trains from a settings file, stops on Ctrl-C and resumes', async () => {
    const config = join(folder, 'settings.yaml');
    const stopped = join(folder, 'stopped');
    writeFileSync(
      config,
      `method: ilora\ndata: ${join(out, 'movielens-100k')}\nout: ${stopped}\nencoder: ${join(out, 'sasrec')}\nprompt: movie\n` +
        'training:\n  windows: 12\n  batch_size: 2\n  validate_every: 12\n  validation_rows: 1\n',
    );
    const metrics = join(stopped, 'metrics.jsonl');
    const first = await interrupted(
      ['train', '--config', config],
      () => existsSync(metrics) && readFileSync(metrics, 'utf8').includes('"step"'),
    );
    assert.equal(first.status, 130, first.stderr);
    assert.match(first.stderr, /the state is saved/);
    assert.ok(first.seconds < 5, `took ${first.seconds} s`);
    assert.ok(!existsSync(join(stopped, 'summary.json')));
    assert.equal(ilora(['train', '--config', config]).status, 2, 'a run is not begun twice');
    const second = ilora(['train', '--config', config, '--resume', '--json']);
    assert.equal(second.status, 0, second.stderr);
    assert.equal((JSON.parse(second.stdout) as { steps: number }).steps, 6);
    const steps = readFileSync(metrics, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; step: number });
    assert.deepEqual(
      steps.filter(({ kind }) => kind === 'step').map(({ step }) => step),
      [1, 2, 3, 4, 5, 6],
    );
  });
});
