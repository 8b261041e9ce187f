/** A returning user's prompt: what is known is not read again, and nothing of the ranking changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '../../../src/data/index.js';
import { type LlmRecommender, PromptMemory } from '../../../src/recommenders/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyIlora, tinyInstances } from '../../support/models.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const before = tinyInstances[0] as Instance;
const oneMore: Instance = { ...before, history: [...before.history, 6] };
const others: Instance = { ...before, candidates: [4, 3, 9, 1] };

async function sameAs(recommender: LlmRecommender, instance: Instance, memory: PromptMemory) {
  const [wanted] = await recommender.score([instance]);
  const { knownTokens, ...ranking } = recommender.scoreReturning(instance, memory);
  close(ranking.scores, wanted?.scores as number[], 1e-5);
  assert.deepEqual(ranking.gates, wanted?.gates);
  return knownTokens;
}

test('uniform LoRA: with one more item the prompt up to it is known, and the scores are the same', async () => {
  const recommender = tinyIlora({ adapter: { kind: 'lora' } });
  const memory = new PromptMemory();
  assert.equal(await sameAs(recommender, before, memory), 0);
  const { ids } = recommender.prompt(before);
  const known = await sameAs(recommender, oneMore, memory);
  assert.ok(known > 5 && known < ids.length, `${known} of ${ids.length} tokens`);
  // The same prompt again: all but the last token.
  assert.equal(
    await sameAs(recommender, oneMore, memory),
    recommender.prompt(oneMore).ids.length - 1,
  );
});

test('iLoRA: another history has another gate and nothing is known; other candidates keep the history', async () => {
  const recommender = tinyIlora();
  const memory = new PromptMemory();
  assert.equal(await sameAs(recommender, before, memory), 0);
  assert.ok((await sameAs(recommender, others, memory)) > 5);
  assert.equal(await sameAs(recommender, oneMore, memory), 0);
});

test('a disposed memory is empty, and no tensor is left', async () => {
  const recommender = tinyIlora({ adapter: { kind: 'lora' } });
  const memory = new PromptMemory();
  recommender.scoreReturning(before, memory);
  memory.dispose();
  await leaksNothing(() => {
    assert.equal(recommender.scoreReturning(before, memory).knownTokens, 0);
    assert.ok(recommender.scoreReturning(oneMore, memory).knownTokens > 0);
    memory.dispose();
  });
});
