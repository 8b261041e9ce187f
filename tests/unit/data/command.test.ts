import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fixtures, temporaryFolder } from './helper.js';

const script = `
  import { dataCommand } from './src/cli/data.ts';
  try {
    await dataCommand().parseAsync(JSON.parse(process.env.ARGUMENTS), { from: 'user' });
  } catch (error) {
    process.stderr.write(JSON.stringify({ code: error.code, message: error.message }));
    process.exitCode = 1;
  }`;

/** Runs `ilora data ...` in a process of its own: the test runner owns this one's stdout. */
async function run(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    {
      cwd: resolve(import.meta.dirname, '../../..'),
      env: { ...process.env, ARGUMENTS: JSON.stringify(args) },
      encoding: 'utf8',
    },
  );
  if (status !== 0)
    throw Object.assign(new Error(stderr), JSON.parse(stderr.slice(stderr.lastIndexOf('{"code"'))));
  return stdout;
}

test('import, info and preview print exactly one JSON document each', async () => {
  const folder = join(temporaryFolder(), 'mine');
  const imported = JSON.parse(
    await run(
      'import',
      join(fixtures, 'ratings.csv'),
      '--items',
      join(fixtures, 'movies.csv'),
      '--split=leave-one-out',
      '--min-history=1',
      '--candidates=2',
      '--keep-unused-items',
      '--out',
      folder,
      '--json',
    ),
  );
  assert.deepEqual(imported.manifest.counts.rows, {
    train: 4,
    validation: 2,
    test: 2,
    test_wide: 2,
  });
  assert.equal(imported.understood.columns.user, 'userId');
  const info = JSON.parse(await run('info', folder, '--json'));
  assert.equal(info.hash, imported.manifest.hash);
  const preview = JSON.parse(await run('preview', folder, '--json', '--split', 'test'));
  assert.equal(preview.instances.length, 2);
  const rows = JSON.parse(await run('preview', join(fixtures, 'ratings.csv'), '--json'));
  assert.equal(rows.rows.length, 5);
});

test('cold makes a dataset of a dataset, says so in words, and keeps its candidates per row', async () => {
  const root = temporaryFolder();
  const rows = Array.from({ length: 30 }, (_, user) =>
    Array.from({ length: 12 }, (_, k) => `${user},${(5 * user + 7 * k) % 30},${1000 + k}`),
  );
  const file = join(root, 'ratings.csv');
  writeFileSync(file, ['userId,itemId,timestamp', ...rows.flat()].join('\n'));
  const [parent, out] = [join(root, 'parent'), join(root, 'cold')];
  await run('import', file, '--candidates=5', '--seed=7', '--out', parent);
  const made = JSON.parse(
    await run('cold', parent, '--share=0.4', '--seed=5', '--out', out, '--json'),
  );
  const { manifest } = made;
  assert.equal(made.folder, out);
  assert.deepEqual([manifest.candidates.count, manifest.candidates.seed], [5, 7]);
  assert.deepEqual(manifest.split_rule.items, { validation: 6, test: 6 });
  assert.equal(manifest.split_rule.parent.split_rule.rule, 'by-user');
  const info = await run('info', out);
  assert.match(
    info,
    /split {5}cold-items: 12 items are taken out of train; 6 are targets of validation, 6 of test\n/,
  );
  assert.match(info, /drawn {5}share 0\.4 of the items in train, seed 5\n/);
  assert.match(info, /parent {4}ratings, split by-user, hash [0-9a-f]{64}\n/);
  await assert.rejects(run('cold', parent, '--out', out), { code: 'file' });
  const next = join(root, 'next');
  await assert.rejects(run('cold', parent, '--share=0.6', '--out', next), { code: 'usage' });
  await assert.rejects(run('cold', out, '--out', next), { code: 'usage' });
});

test('wrong usage is a typed error', async () => {
  const out = join(temporaryFolder(), 'x');
  const file = join(fixtures, 'ratings.csv');
  await assert.rejects(run('pull', 'nope', '--out', out), { code: 'usage' });
  await assert.rejects(run('pull', 'steam', '--attributes', '--from', fixtures, '--out', out), {
    code: 'usage',
    message: /^ilora data pull steam --attributes: expected movielens-100k/,
  });
  await assert.rejects(run('import', file, '--fractions', '1:2', '--out', out), { code: 'usage' });
  await assert.rejects(
    run('import', file, '--candidates', '1', '--split', 'leave-one-out', '--out', out),
    { code: 'usage' },
  );
  await assert.rejects(
    run('import', file, '--max-history', '2', '--split', 'leave-one-out', '--out', out),
    { code: 'usage' },
  );
});
