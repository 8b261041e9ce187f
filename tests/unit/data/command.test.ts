import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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

test('wrong usage is a typed error', async () => {
  const out = join(temporaryFolder(), 'x');
  const file = join(fixtures, 'ratings.csv');
  await assert.rejects(run('pull', 'nope', '--out', out), { code: 'usage' });
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
