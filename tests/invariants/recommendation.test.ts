/** Invariants of a whole iLoRA that ranks and answers, over random instances. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Instance } from '../../src/data/index.js';
import { KvCache } from '../../src/llama/index.js';
import { Adapter, LlmRecommender, layOut, type Scored } from '../../src/recommenders/index.js';
import {
  argmax,
  cat,
  engineThreads,
  narrow,
  noGrad,
  scope,
  sum,
  Tensor,
} from '../../src/tensor/index.js';
import { openPromptTemplate, PromptBuilder } from '../../src/text/index.js';
import {
  tinyAdapterOptions,
  tinyIlora,
  tinyLlama,
  tinySasrec,
  tinyWidths,
  titles,
  wordEncoder,
} from '../support/models.js';
import { close } from '../support/numeric.js';
import { instances, permutationOf, runs, seeds } from './cases.js';

engineThreads(1);

/** Float64 throughout; scores are sums of some ten log-probabilities. */
const EXACT = 1e-9;

/** Every kind of gate, with slots and without. */
const models = fc.record({
  gate: fc.constantFrom('linear' as const, 'conv' as const, 'conv-batch-norm' as const),
  hasSlots: fc.boolean(),
});
type Model = typeof models extends fc.Arbitrary<infer T> ? T : never;

const made = new Map<string, ReturnType<typeof tinyIlora>>();
function modelOf(options: Model, batchTokens = 1 << 20): LlmRecommender {
  const key = JSON.stringify(options);
  const known = made.get(key) ?? tinyIlora({ dtype: 'float64', adapter: options });
  made.set(key, known);
  return new LlmRecommender({ ...known.parts, batchTokens });
}

function same(got: readonly Scored[], wanted: readonly Scored[]): void {
  assert.equal(got.length, wanted.length);
  for (const [i, { scores, gates }] of got.entries()) {
    close(scores, wanted[i]!.scores, EXACT, 'scores');
    close(gates ?? [], wanted[i]!.gates ?? [], EXACT, 'gates');
  }
}

const forAll = (
  numRuns: number,
  body: (model: Model, list: Instance[], seed: number) => Promise<void>,
): Promise<void> => fc.assert(fc.asyncProperty(models, instances(4), seeds, body), runs(numRuns));

test('scores and gates depend neither on batch mates, nor on padding, nor on how batches are cut', () =>
  forAll(7, async (model, list) => {
    const all = await modelOf(model).score(list);
    const alone = await Promise.all(list.map((instance) => modelOf(model).score([instance])));
    same(alone.flat(), all);
    for (const batchTokens of [1, 150, 400])
      same(await modelOf(model, batchTokens).score(list), all);
  }));

test('permuting the instances permutes the rankings', () =>
  forAll(6, async (model, list, seed) => {
    const order = permutationOf(list.length, seed);
    const all = await modelOf(model).score(list);
    const permuted = await modelOf(model).score(order.map((i) => list[i] as Instance));
    same(
      permuted,
      order.map((i) => all[i] as Scored),
    );
  }));

/** Log-likelihoods of the titles of some items after an instance's prompt, in one pass. */
function likelihoods(
  recommender: LlmRecommender,
  instance: Instance,
  items: readonly number[],
): number[] {
  return noGrad(() =>
    scope(() => {
      const continuations = items.map((item) => recommender.parts.prompts.answer(item));
      const layout = layOut([{ prompt: recommender.prompt(instance), continuations }]);
      const { logProbabilities_X } = recommender.model.logProbabilities(layout, [instance.history]);
      const logs = logProbabilities_X.toNumbers();
      const totals = items.map(() => 0);
      for (const [x, { continuation }] of layout.predictions.entries())
        totals[continuation]! += logs[x]!;
      return totals;
    }),
  );
}

test('all candidates in one pass score as each alone does, in any order', () =>
  forAll(6, async (model, list, seed) => {
    const recommender = modelOf(model);
    for (const [b, { scores }] of (await recommender.score(list)).entries()) {
      const instance = list[b] as Instance;
      const { candidates } = instance;
      const alone = candidates.map((item) => likelihoods(recommender, instance, [item])[0]!);
      close(scores, alone, EXACT);
      assert.ok(new Set(alone.map((x) => x.toFixed(6))).size > 1, 'candidates differ');
      // The prompt names the candidates in their order; only the titles to score are permuted.
      const order = permutationOf(candidates.length, seed);
      const permuted = order.map((c) => candidates[c] as number);
      close(
        likelihoods(recommender, instance, permuted),
        order.map((c) => scores[c]!),
        EXACT,
      );
    }
  }));

test('an adapter with zero `up` ranks as the bare base does, bit for bit, and so does the base after remove', () =>
  fc.assert(
    fc.asyncProperty(
      instances(3),
      fc.constantFrom('lora' as const, 'ilora' as const),
      async (list, kind) => {
        const prompts = new PromptBuilder(
          wordEncoder,
          titles.map((title) => ({ title })),
          openPromptTemplate('movie'),
        );
        const parts = { name: 'x', objective: 'title-likelihood', prompts, batchTokens: 1 << 20 };
        const base = tinyLlama();
        const scores = async (recommender: LlmRecommender): Promise<unknown> =>
          (await recommender.score(list)).map((ranking) => ranking.scores);
        const bare = await scores(new LlmRecommender({ ...parts, base }));
        const options = { ...tinyAdapterOptions, kind, hasSlots: false };
        const adapter = new Adapter(base, options, tinyWidths, 5);
        const encoder = tinySasrec().freeze();
        const fresh = new LlmRecommender({ ...parts, base, adapter, encoder });
        assert.deepEqual(await scores(fresh), bare);
        adapter.remove();
        assert.deepEqual(await scores(new LlmRecommender({ ...parts, base })), bare);
      },
    ),
    runs(6),
  ));

test('with one expert iLoRA ranks as plain LoRA does', () => {
  const mixed = tinyIlora({ dtype: 'float64', adapter: { experts: 1, hasSlots: false } });
  const plain = tinyIlora({ dtype: 'float64', adapter: { kind: 'lora', hasSlots: false } });
  return fc.assert(
    fc.asyncProperty(instances(4), async (list) => {
      const [got, wanted] = [await mixed.score(list), await plain.score(list)];
      for (const [i, { scores, gates }] of got.entries()) {
        close(scores, wanted[i]!.scores, EXACT);
        assert.deepEqual(gates, [1]);
        assert.equal(wanted[i]!.gates, undefined);
      }
    }),
    runs(5),
  );
});

test('a prompt in pieces through the cache gives the states of the whole prompt', () =>
  fc.assert(
    fc.property(instances(1), fc.integer({ min: 1, max: 6 }), ([instance], tokens) => {
      const recommender = modelOf({ gate: 'linear', hasSlots: false });
      const { base } = recommender.parts;
      noGrad(() =>
        scope(() => {
          const { ids } = recommender.prompt(instance as Instance);
          const embedded = base.embed(
            Tensor.from(BigInt64Array.from(ids, BigInt), [1, ids.length]),
          );
          const pass = { gates_BE: recommender.model.gates([instance!.history])! };
          const whole = base.forward(embedded, { pass });
          const cache = new KvCache();
          const first = ids.length - tokens;
          const pieces = [base.forward(narrow(embedded, 1, 0, first), { pass, cache })];
          for (let t = first; t < ids.length; t++)
            pieces.push(base.forward(narrow(embedded, 1, t, 1), { pass, cache }));
          close(cat(pieces, 1), whole, EXACT);
        }),
      );
    }),
    runs(6),
  ));

test('an answer made with the cache is the one made by reading everything anew for each token', () =>
  fc.assert(
    fc.asyncProperty(instances(2), async (list) => {
      const recommender = modelOf({ gate: 'linear', hasSlots: false });
      const { base, prompts } = recommender.parts;
      const maxNewTokens = 5;
      const got = await recommender.generate(list, { maxNewTokens });
      const wanted = list.map((instance) =>
        noGrad(() =>
          scope(() => {
            const pass = { gates_BE: recommender.model.gates([instance.history])! };
            const ids = [...recommender.prompt(instance).ids];
            const answer: number[] = [];
            while (answer.length < maxNewTokens) {
              const all = [...ids, ...answer];
              const embedded = base.embed(
                Tensor.from(BigInt64Array.from(all, BigInt), [1, all.length]),
              );
              const states = base.forward(embedded, { pass });
              const logits = base.logits(narrow(states, 1, all.length - 1, 1));
              assert.ok(Number.isFinite(sum(logits).item()));
              answer.push(argmax(logits, -1).item());
              if (answer.at(-1) === prompts.end) break;
            }
            return prompts.read(answer);
          }),
        ),
      );
      assert.deepEqual(got, wanted);
      assert.ok(got.every((text) => text.length > 0));
    }),
    runs(5),
  ));
