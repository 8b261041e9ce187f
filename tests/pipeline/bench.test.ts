/** The benchmarks of the language model on a tiny base, without peers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { writeDataset } from '../../src/data/index.js';
import { writeBaseFolder } from '../support/base-folder.js';
import { temporaryFolder } from '../support/folder.js';
import { tinyDraft } from '../unit/data/helper.js';
import { ROOT } from './command.js';

const folder = temporaryFolder();
const [data, base] = [join(folder, 'data'), join(folder, 'base')];
before(async () => {
  writeBaseFolder(base);
  await writeDataset(data, tinyDraft());
});

function bench(name: string, flags: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const args = [
    '--import',
    'tsx',
    join(ROOT, 'bench', `${name}.ts`),
    '--quick',
    '--json',
    ...flags,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return { status, stderr, document: (last === '' ? {} : JSON.parse(last)) as Figures };
}

type Figures = Record<string, unknown>;

test('bench:train ends in one object with the agreed keys', () => {
  const { status, stderr, document } = bench(
    'train',
    '--no-peers --rounds 2 --windows 2 --threads 1'
      .split(' ')
      .concat('--data', data, '--base', base),
  );
  assert.equal(status, 0, stderr);
  for (const key of ['instances_per_second', 'fraction_of_peak', 'ilora_over_lora_step'])
    assert.ok((document[key] as number) > 0, `${key}: ${document[key]}`);
  for (const key of [
    'ratio_vs_authors_style',
    'ratio_vs_peft_lora',
    'peak_memory_ratio_vs_authors_style',
  ])
    assert.equal(document[key], null, `${key} without peers`);
  assert.deepEqual(Object.keys(document.step_seconds as Figures), ['ilora', 'lora']);
  assert.ok((document.peak_memory_bytes as { ilora: number }).ilora > 1e7);
});

test('bench:score ends in one object with the agreed keys', () => {
  const { status, stderr, document } = bench(
    'score',
    '--no-peers --rounds 2 --threads 1'.split(' ').concat('--data', data, '--base', base),
  );
  assert.equal(status, 0, stderr);
  assert.ok((document.rows_per_second as number) > 0);
  assert.ok((document.mixed_gates_ratio as number) > 0);
  assert.equal(document.ratio_vs_greedy, null);
  assert.equal(document.ratio_vs_one_by_one, null);
});

test('what is not there is refused once, with the command that gets it all', () => {
  const refused = (...flags: string[]): string => {
    const { status, stderr } = bench('train', flags, { ILORA_CACHE: join(folder, 'empty') });
    assert.notEqual(status, 0);
    assert.equal(
      stderr
        .trim()
        .split('\n')
        .filter((line) => /^\s+at /.test(line)).length,
      0,
      stderr,
    );
    return stderr;
  };
  const [none, python] = [join(folder, 'none'), join(folder, 'python')];
  const all = refused('--data', none, '--peers', python).trim().split('\n');
  assert.equal(all[0], 'bench:train: 3 things are missing');
  assert.match(all[1] ?? '', /none: expected a dataset folder/);
  assert.match(all[2] ?? '', /smollm2-135m: expected a model that was pulled, got nothing$/);
  assert.match(all[3] ?? '', /python: expected a Python with torch, transformers/);
  assert.equal(
    all[4],
    `get all that can be had: npm run bench:setup -- --data ${none}`,
    'one command for dataset and model',
  );
  assert.match(all[5] ?? '', /--peers PATH or ILORA_BENCH_PYTHON/);
  const given = refused('--no-peers', '--data', data, '--base', join(folder, 'no'));
  assert.match(given, /no: expected a GGUF/);
  assert.doesNotMatch(given, /bench:setup/, 'what only the user can bring');
  assert.match(refused('--rounds', '0', '--data', data), /--rounds: expected a whole number/);
});
