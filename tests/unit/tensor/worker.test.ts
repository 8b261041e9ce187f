/** The addon in worker threads and at the end of a process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { startThread } from '../../../src/recommenders/llm/threads/thread.js';
import {
  addonPath,
  engineEnvironment,
  engineInfo,
  engineThreads,
  Generator,
  matmul,
  randn,
  scope,
  sum,
} from '../../../src/tensor/index.js';

engineThreads(1);

interface Answer {
  loss: number;
  live: number;
}

const script = new URL('worker-body.ts', import.meta.url);

/** Runs a worker to its end; its answer and exit code. */
async function run(seed: number, steps: number): Promise<Answer & { code: number }> {
  const worker = startThread(script, { seed, steps });
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
  return { ...(await answer), code: await exit };
}

test('a worker computes at the same time as the main thread, and both rightly', async () => {
  const [alone] = await Promise.all([run(1, 20)]);
  const work = run(1, 20);
  const x = randn([16, 16], new Generator(4), 'float64');
  const wanted = scope(() => sum(matmul(x, x)).item());
  let rounds = 0;
  let isDone = false;
  void work.then(() => {
    isDone = true;
  });
  while (!isDone) {
    for (let i = 0; i < 20; i++, rounds++)
      assert.equal(
        scope(() => sum(matmul(x, x)).item()),
        wanted,
      );
    await new Promise((resolve) => setImmediate(resolve));
  }
  const beside = await work;
  assert.ok(rounds > 0);
  assert.equal(beside.loss, alone.loss);
  assert.ok(Number.isFinite(alone.loss));
});

test('five workers at once end cleanly, each with its own operators and streams', async () => {
  const answers = await Promise.all([1, 2, 3, 4, 5].map((seed) => run(seed, 3)));
  assert.deepEqual(
    answers.map(({ code }) => code),
    [0, 0, 0, 0, 0],
  );
  assert.equal(new Set(answers.map(({ loss }) => loss)).size, 5);
});

test('a process with workers, one of them ended at work, exits with 0', () => {
  const result = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'process-body.ts')],
    { encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(result.status, 0, `${result.signal} ${result.stderr}`);
  assert.equal(result.stdout.trim(), '8');
});

test('the addon in use is the one built for this libtorch, compiler flags and source', () => {
  const { libtorch, addon } = engineInfo();
  assert.match(libtorch.version, /^\d+\.\d+\.\d+$/);
  assert.equal(addon, addonPath(libtorch, engineEnvironment()));
});
