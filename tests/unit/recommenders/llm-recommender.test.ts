/** iLoRA from history to scores. What may not change a score: tests/invariants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '../../../src/data/index.js';
import {
  type LlmRecommender,
  layOut,
  rowLength,
  treeMask,
} from '../../../src/recommenders/index.js';
import { cutByTokens, cutEvenly } from '../../../src/recommenders/llm/layout.js';
import {
  engineThreads,
  logSoftmax,
  narrow,
  neg,
  noGrad,
  scope,
  sum,
  Tensor,
} from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyIlora, tinyInstances } from '../../support/models.js';
import { checkGradients, close } from '../../support/numeric.js';

engineThreads(1);

/** Float64 throughout; scores are sums of some ten log-probabilities. */
const EXACT = 1e-9;
const [first, second, third] = tinyInstances as [Instance, Instance, Instance];

const scores = async (made: LlmRecommender, instances: readonly Instance[]): Promise<number[][]> =>
  (await made.score(instances)).map((ranking) => [...ranking.scores]);

test('a score is the log-likelihood of the title token by token, computed without our layout', async () => {
  const made = tinyIlora({ dtype: 'float64', adapter: { hasSlots: false } });
  const { base, prompts } = made.parts;
  const [got] = await scores(made, [first]);
  const wanted = first.candidates.map((item) =>
    noGrad(() =>
      scope(() => {
        const prompt = made.prompt(first).ids;
        const answer = prompts.answer(item);
        const all = [...prompt, ...answer];
        const ids = Tensor.from(BigInt64Array.from(all, BigInt), [1, all.length]);
        const pass = { gates_BE: made.model.gates([first.history])! };
        const logs = logSoftmax(base.logits(base.forward(base.embed(ids), { pass })), -1);
        const V = base.config.vocabSize;
        const values = logs.toNumbers();
        return answer.reduce(
          (total, token, i) => total + values[(prompt.length - 1 + i) * V + token]!,
          0,
        );
      }),
    ),
  );
  close(got!, wanted, EXACT);
});

test('gates are rows that sum to 1, and another history has other gates and scores', async () => {
  const made = tinyIlora({ dtype: 'float64' });
  const [a, b] = await made.score([first, { ...first, history: [11, 10, 9] }]);
  for (const { gates } of [a!, b!]) {
    assert.equal(gates?.length, 2);
    close([gates![0]! + gates![1]!], [1], 1e-6);
  }
  assert.notDeepEqual(a!.gates, b!.gates);
  assert.notDeepEqual(a!.scores, b!.scores);
});

test('the loss of a whole iLoRA has the gradients of finite differences in every trained part', () => {
  const made = tinyIlora({ dtype: 'float64' });
  const { prompts, adapter } = made.parts;
  const instances = [
    { ...first, history: [0, 1], candidates: [3, 8] },
    { ...third, candidates: [2, 6] },
  ];
  const layout = layOut(
    instances.map((instance) => ({
      prompt: made.prompt(instance),
      continuations: [prompts.answer(instance.target)],
    })),
  );
  const histories = instances.map(({ history }) => history);
  const parameters = new Map(adapter.namedParameters());
  const pick = (key: string): Tensor => parameters.get(key) as Tensor;
  checkGradients(
    () => neg(sum(made.model.logProbabilities(layout, histories).logProbabilities_X)),
    {
      gate: pick('gate.weight'),
      projector: pick('projector.input.weight'),
      down: pick('layers.0.self_attn.q_proj.down'),
      up: pick('layers.1.mlp.down_proj.up'),
    },
  );
});

test('every trained parameter gets a gradient and nothing else does', () => {
  const made = tinyIlora({ adapter: { gate: 'conv' } });
  const { prompts, adapter, base, encoder } = made.parts;
  const layout = layOut([
    { prompt: made.prompt(first), continuations: [prompts.answer(first.target)] },
    { prompt: made.prompt(second), continuations: [prompts.answer(second.target)] },
  ]);
  scope(() =>
    neg(
      sum(made.model.logProbabilities(layout, [first.history, second.history]).logProbabilities_X),
    ).backward(),
  );
  const trained = new Set([...adapter.namedTensors()].map(([, tensor]) => tensor));
  for (const [key, tensor] of adapter.namedParameters())
    assert.ok(tensor.grad !== undefined, `${key} has a gradient`);
  for (const [key, tensor] of [...base.namedTensors(), ...encoder.namedTensors()])
    if (!trained.has(tensor)) assert.equal(tensor.grad, undefined, key);
});

test('ranking and generating leave no tensor behind', async () => {
  const made = tinyIlora();
  await made.score(tinyInstances);
  await made.generate([first], { maxNewTokens: 2 });
  await leaksNothing(async () => {
    for (let i = 0; i < 3; i++) {
      await made.score(tinyInstances);
      await made.generate([first], { maxNewTokens: 2 });
    }
  });
});

test('an abort between batches rejects, and progress counts instances', async () => {
  const made = tinyIlora({ batchTokens: 1 });
  const controller = new AbortController();
  const done: number[] = [];
  await assert.rejects(
    made.score(tinyInstances, {
      signal: controller.signal,
      onProgress: (count) => {
        done.push(count);
        if (count === 2) controller.abort();
      },
    }),
    { name: 'AbortError' },
  );
  assert.deepEqual(done, [1, 2]);
  assert.deepEqual(await made.score([]), []);
});

test('a layout by hand: states that predict, positions from the prompt on, slots in place', () => {
  const prompt = { ids: [9, 8, 7], slots: [{ position: 1, item: 4 }] };
  const rows = [
    {
      prompt,
      continuations: [
        [5, 6, 1],
        [2, 1],
      ],
    },
    { prompt: { ids: [3], slots: [] }, continuations: [[4]] },
  ];
  assert.deepEqual(rows.map(rowLength), [6, 1]);
  const layout = layOut(rows);
  assert.deepEqual([layout.B, layout.T, layout.isTree], [2, 6, true]);
  assert.deepEqual(Array.from(layout.ids, Number), [9, 8, 7, 5, 6, 2, 3, 0, 0, 0, 0, 0]);
  assert.deepEqual(layout.positions.slice(0, 7), [0, 1, 2, 3, 4, 3, 0]);
  assert.deepEqual([...layout.segments], [0, 0, 0, 1, 1, 2, 0, -1, -1, -1, -1, -1]);
  assert.deepEqual(layout.slots, { places: [1], items: [4] });
  const predicted = layout.predictions.map(({ state, token }) => [layout.states[state], token]);
  assert.deepEqual(predicted, [
    [2, 5],
    [3, 6],
    [4, 1],
    [2, 2],
    [5, 1],
    [6, 4],
  ]);
  const mask = treeMask(layout, { device: 'cpu', dtype: 'float32' });
  assert.deepEqual(mask.shape, [2, 1, 6, 6]);
  const seen = narrow(mask, 0, 0, 1)
    .toNumbers()
    .map((value) => (value === 0 ? 1 : 0));
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((t) => seen.slice(6 * t, 6 * t + 6).join('')),
    ['100000', '110000', '111000', '111100', '111110', '111001'],
  );
});

test('batches hold each row once and at most the given tokens, padding included', () => {
  const rows = [3, 9, 4, 4, 1, 20].map((length) => ({
    prompt: { ids: new Array<number>(length).fill(0), slots: [] },
    continuations: [[0]],
  }));
  const batches = cutByTokens(rows, 12);
  assert.deepEqual(batches.flat().sort(), [0, 1, 2, 3, 4, 5]);
  for (const batch of batches) {
    const longest = Math.max(...batch.map((i) => rowLength(rows[i]!)));
    assert.ok(batch.length === 1 || batch.length * longest <= 12);
  }
  assert.deepEqual(batches[0], [5], 'a row that is too long stands alone');
});

test('for workers a batch is cut so that all are done at about the same time', () => {
  const lengths = [210, 240, 190, 250, 230, 220, 260, 200, 180, 245, 235, 225];
  const rows = lengths.map((length) => ({
    prompt: { ids: new Array<number>(length).fill(0), slots: [] },
    continuations: [[0]],
  }));
  const all = rows.map((_, i) => i);
  assert.deepEqual(cutEvenly(rows, 1024, 1), cutByTokens(rows, 1024));
  for (const workers of [2, 3, 4, 5, 6]) {
    const batches = cutEvenly(rows, 1024, workers);
    assert.deepEqual(
      batches.flat().sort((a, b) => a - b),
      all,
    );
    const ends = new Array<number>(workers).fill(0);
    for (const batch of batches) {
      const cost = batch.length * Math.max(...batch.map((i) => lengths[i]!));
      assert.ok(cost <= Math.max(512, 1536 / workers), `${cost} tokens in a batch`);
      ends[ends.indexOf(Math.min(...ends))]! += cost;
    }
    const total = lengths.reduce((sum, length) => sum + length);
    const wait = (Math.max(...ends) * workers) / total;
    assert.ok(wait < (12 % workers === 0 ? 1.15 : 1.4), `${workers} workers: ${ends.join()}`);
  }
  assert.equal(cutEvenly(rows.slice(0, 2), 1024, 4).length, 2, 'no more parts than rows');
  assert.equal(cutEvenly(rows, 1, 2).length, 12, 'rows that are too long stand alone');
});
