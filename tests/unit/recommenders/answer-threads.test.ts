/** Scoring and generating in threads: the answers of one thread, whoever is faster. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { Instance } from '../../../src/data/index.js';
import { LlmRecommender } from '../../../src/recommenders/index.js';
import { answerThreads } from '../../../src/recommenders/llm/threads/answers.js';
import { engineInfo, engineThreads, foreach, noGrad } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyIlora, tinyInstances } from '../../support/models.js';

engineThreads(1);

const instances: readonly Instance[] = Array.from({ length: 5 }, () => tinyInstances).flat();

/** The base without any adapter. */
function bare(): LlmRecommender {
  const { base, prompts, adapter } = tinyIlora().parts;
  adapter.remove();
  return new LlmRecommender({
    name: 'base',
    base,
    objective: 'title-likelihood',
    prompts,
    batchTokens: 60,
  });
}

const kinds: Record<string, () => LlmRecommender> = {
  ilora: () => tinyIlora({ batchTokens: 60 }),
  lora: () => tinyIlora({ batchTokens: 60, adapter: { kind: 'lora' } }),
  'conv-batch-norm': () => tinyIlora({ batchTokens: 60, adapter: { gate: 'conv-batch-norm' } }),
  base: bare,
};

for (const [name, make] of Object.entries(kinds))
  test(`${name}: rankings, gates and texts are those of one thread, bit for bit`, async () => {
    const recommender = make();
    const wanted = await recommender.score(instances, { workers: 1 });
    const progress: number[] = [];
    const got = await recommender.score(instances, {
      workers: 2,
      onProgress: (done) => progress.push(done),
    });
    assert.deepEqual(got, wanted);
    assert.equal(wanted[0]?.gates !== undefined, name !== 'lora' && name !== 'base');
    assert.equal(progress.at(-1), instances.length);
    assert.ok(
      progress.length > 2 && progress.every((done, i) => i === 0 || done > progress[i - 1]!),
    );
    const few = instances.slice(0, 6);
    assert.deepEqual(
      await recommender.generate(few, { workers: 2, maxNewTokens: 5 }),
      await recommender.generate(few, { workers: 1, maxNewTokens: 5 }),
    );
  });

test('the adapter is that of the moment', async () => {
  const recommender = tinyIlora({ batchTokens: 60 });
  const before = await recommender.score(instances, { workers: 2 });
  const ups = [...recommender.parts.adapter.namedTensors()].filter(([key]) => key.endsWith('.up'));
  noGrad(() =>
    foreach.mulNumber_(
      ups.map(([, up]) => up),
      0.5,
    ),
  );
  const after = await recommender.score(instances, { workers: 2 });
  assert.notDeepEqual(after, before);
  assert.deepEqual(after, await recommender.score(instances, { workers: 1 }));
});

test('a stop ends the wait and leaves nothing behind', async () => {
  const recommender = tinyIlora({ batchTokens: 60 });
  await recommender.score(instances, { workers: 2 });
  const ends: Promise<unknown>[] = [];
  const onWorker = (worker: Worker): void => void ends.push(once(worker, 'exit'));
  process.on('worker', onWorker);
  await leaksNothing(async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = (): void => controller.abort(new Error('stop'));
    await assert.rejects(recommender.score(instances, { workers: 2, signal, onProgress }), {
      message: 'stop',
    });
    await assert.rejects(recommender.generate(instances, { workers: 2, signal }), {
      message: 'stop',
    });
    // `rank` does not wait for the threads, but they end; until then they hold tensors.
    assert.equal(ends.length, 2);
    await Promise.all(ends);
  });
  process.off('worker', onWorker);
});

test('what goes wrong in a thread is said here', async () => {
  const recommender = tinyIlora({ batchTokens: 60 });
  const { answer } = recommender.parts.prompts;
  recommender.parts.prompts.answer = (item) => [
    1_000_000,
    ...answer.call(recommender.parts.prompts, item),
  ];
  await assert.rejects(recommender.score(instances, { workers: 2 }), {
    code: 'engine',
    message: /index/,
  });
});

test('threads are taken where they pay and memory has room', () => {
  const small = tinyIlora().parts;
  assert.equal(answerThreads(small, 1000), 1);
  const base = { device: 'cpu', parameterCount: 1e8, config: { vocabSize: 49_152 } } as never;
  const parts = { ...small, base, batchTokens: 1024 };
  const all = engineInfo().threads;
  assert.equal(answerThreads(parts, 8 * all, 1e15), all);
  assert.equal(answerThreads(parts, 15, 1e15), 1);
  // 168 MB of logits each, in half of what is left.
  assert.equal(answerThreads(parts, 1e6, 3e8), 1);
  assert.equal(
    answerThreads(
      { ...parts, base: { ...(base as object), device: 'cuda:0' } as never },
      1e6,
      1e15,
    ),
    1,
  );
});
