/**
 * What holds for every sequence model of the registry: a method that is added there is tested here without a line.
 *
 * Each is built as a run would build it, with its default settings but for a small width.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../src/data/index.js';
import { Adam } from '../../src/optim/index.js';
import {
  Adapter,
  encoderMethods,
  LlmRecommender,
  type Method,
  SequenceEncoder,
  SequenceLearner,
  settingsSchema,
} from '../../src/recommenders/index.js';
import { encoderOf } from '../../src/recommenders/registry.js';
import {
  copy_,
  engineThreads,
  narrow,
  noGrad,
  scope,
  select,
  Tensor,
} from '../../src/tensor/index.js';
import { openPromptTemplate, PromptBuilder } from '../../src/text/index.js';
import { leaksNothing } from '../support/leak.js';
import { tinyAdapterOptions, tinyLlama, titles, wordEncoder } from '../support/models.js';
import { checkGradients, close, fill_ } from '../support/numeric.js';

engineThreads(1);

const N = 12;
const L = 6;
const HISTORIES = [[3, 1, 4], [5], [9, 2, 6, 5, 3, 11], [2, 2]];

/** As much of a dataset as a sequence method asks for. */
const dataset = {
  catalog: { size: N },
  manifest: { window: { maxHistory: L } },
} as unknown as Dataset;

/** A fresh model of the method, in double precision. */
function fresh(method: Method, seed = 1): SequenceEncoder {
  const said = { method: method.name, data: 'data', out: 'out', seed, [method.name]: { width: 8 } };
  const settings = settingsSchema(method).parse(said) as never;
  const { encoder } = method.build(settings, { dataset });
  assert.ok(encoder instanceof SequenceEncoder);
  return encoder.to('cpu', 'float64');
}

/** The same with all its values drawn wide, so that each of them matters. */
function wide(method: Method): SequenceEncoder {
  const model = fresh(method);
  for (const [i, [key, tensor]] of [...model.namedTensors()].entries())
    if (!/norm\.weight$/.test(key)) fill_(tensor, 30 + i, 0.4);
  return model;
}

const ids = (items: readonly number[]): Tensor =>
  Tensor.from(BigInt64Array.from(items, BigInt), [1, items.length]);

function learnerOf(model: SequenceEncoder, rows: readonly (readonly number[])[], loss = 'softmax') {
  const sequences = rows.map((items, i) => ({ user: `${i}`, items: Int32Array.from(items) }));
  const options = { learningRate: 0.02, weightDecay: 0, loss: loss as 'softmax' | 'bce' };
  return new SequenceLearner(model, sequences, options);
}

const at = (step: number) => ({ seed: 1, step, totalSteps: 100, batch: [] });

/** An iLoRA whose gate and slots the encoder serves; its `up` matrices are not zero, so that they matter. */
function iloraOn(encoder: SequenceEncoder): LlmRecommender {
  const base = tinyLlama();
  const widths = { representation: encoder.representationWidth, items: encoder.width };
  const adapter = new Adapter(base, tinyAdapterOptions, widths, 5);
  for (const [i, [key, tensor]] of [...adapter.namedTensors()].entries())
    if (/\.up$|^gate/.test(key)) fill_(tensor, 100 + i, 0.3);
  return new LlmRecommender({
    name: 'ilora',
    objective: 'title-likelihood',
    base,
    prompts: new PromptBuilder(
      wordEncoder,
      titles.map((title) => ({ title })),
      openPromptTemplate('movie'),
    ),
    adapter,
    encoder,
    batchTokens: 60,
  });
}

const queries = HISTORIES.flatMap((history) => [
  { history, candidates: [7, 0, 8] },
  { history, candidates: [10, 8] },
]);

for (const method of encoderMethods()) {
  const { name } = method;

  test(`${name}: the state of a place is the representation of the history up to it`, () => {
    const model = wide(method);
    const items = [9, 2, 6, 5, 9, 11];
    const states = model.forward(ids(items));
    assert.deepEqual(states.shape, [1, L, model.representationWidth]);
    for (const place of items.keys())
      close(select(states, 1, place), model.represent([items.slice(0, place + 1)]), 1e-12);
  });

  test(`${name}: neither padding nor batch mates change a state`, () => {
    const model = wide(method);
    const padded = model.forward(ids([3, 1, 4, N, N, N]));
    close(narrow(padded, 1, 0, 3), model.forward(ids([3, 1, 4])), 1e-12);
    const together = model.represent(HISTORIES);
    for (const [b, history] of HISTORIES.entries())
      close(narrow(together, 0, b, 1), model.represent([history]), 1e-12);
  });

  test(`${name}: of a long history the last items count, each of them, in their order`, () => {
    const model = wide(method);
    const last = [9, 2, 6, 5, 3, 11];
    const wanted = model.represent([last]);
    close(model.represent([[7, 7, 8, ...last]]), wanted, 0);
    const others = last.map((_, place) => last.with(place, 0));
    for (const history of [...others, last.toReversed()])
      assert.notDeepEqual(model.represent([history]).toNumbers(), wanted.toNumbers());
  });

  test(`${name}: an empty history and an item outside the catalog are refused`, () => {
    const model = fresh(method);
    for (const histories of [[[]], [[3, 1], []], [[3, N]], [[-1]]])
      assert.throws(() => model.represent(histories), { code: 'data' });
  });

  test(`${name}: values are those of the seed, and enough for the settings`, () => {
    const values = (seed: number): number[] =>
      [...fresh(method, seed).namedTensors()].flatMap(([, tensor]) => tensor.toNumbers());
    assert.deepEqual(values(1), values(1));
    assert.notDeepEqual(values(1), values(2));
    const said = { method: name, data: 'data', out: 'out', [name]: { width: 8 } };
    const settings = settingsSchema(method).parse(said) as never;
    assert.ok(method.leastValues(settings, { dataset }) <= values(1).length);
  });

  for (const loss of ['softmax', 'bce'])
    test(`${name}: gradients of the ${loss} loss agree with finite differences`, () => {
      const model = wide(method);
      const learner = learnerOf(
        model,
        [
          [1, 4, 2, 9, 0, 3, 8],
          [5, 7, 6],
        ],
        loss,
      );
      const examples = Array.from({ length: learner.examples }, (_, i) => i);
      const parameters = Object.fromEntries(model.namedParameters());
      assert.equal(Object.keys(parameters).length, [...model.namedTensors()].length);
      const check = { tolerance: 2e-6, step: 1e-6, mostElements: 4 }; // relu has kinks
      checkGradients(() => learner.loss(examples, at(0)), parameters, check);
    });

  test(`${name}: learns that three items on comes next, and leaves no tensor behind`, async () => {
    const model = fresh(method).to('cpu', 'float32');
    const row = (start: number): number[] =>
      Array.from({ length: 9 }, (_, i) => (start + 3 * i) % N);
    const learner = learnerOf(model, [row(0), row(1), row(2)]);
    const adam = new Adam(learner.parameterGroups());
    const train = (from: number, to: number): void => {
      for (let step = from; step < to; step++) {
        const examples = Array.from({ length: learner.examples }, (_, i) => i);
        const seen = examples.map((row) => row + step * learner.examples);
        scope(() => learner.loss(seen, at(step)).backward());
        adam.step();
        adam.zeroGrad();
      }
    };
    train(0, 60);
    await leaksNothing(() => train(60, 120));
    for (const history of [[0], [4, 7], [2, 5, 8, 11, 2, 5]]) {
      const logits = model.logits(model.represent([history])).toNumbers();
      const best = logits.indexOf(Math.max(...logits));
      assert.equal(best, ((history.at(-1) as number) + 3) % N, `after ${history}`);
    }
  });

  test(`${name}: another thread makes the same encoder of its description`, () => {
    const model = wide(method);
    const twin = encoderOf(structuredClone(model.describe())) as SequenceEncoder;
    twin.to('cpu', 'float64');
    const own = new Map(twin.namedTensors());
    assert.deepEqual(
      [...own.keys()],
      [...model.namedTensors()].map(([key]) => key),
    );
    noGrad(() => {
      for (const [key, tensor] of model.namedTensors()) copy_(own.get(key) as Tensor, tensor);
    });
    assert.equal(twin.trainableParameters, 0);
    assert.deepEqual(twin.represent(HISTORIES).toNumbers(), model.represent(HISTORIES).toNumbers());
  });

  test(`${name}: stands behind the gate and the slots of iLoRA, in threads too`, async () => {
    const encoder = wide(method).to('cpu', 'float32').freeze() as SequenceEncoder;
    const ilora = iloraOn(encoder);
    const scored = await ilora.score(queries, { workers: 1 });
    for (const { scores, gates } of scored) {
      assert.ok(scores.every(Number.isFinite));
      close([gates?.reduce((total, gate) => total + gate) ?? 0], [1], 1e-6);
    }
    // The gate follows the history, not the candidates.
    assert.deepEqual(scored[0]?.gates, scored[1]?.gates);
    assert.notDeepEqual(scored[0]?.gates, scored[2]?.gates);
    assert.deepEqual(await ilora.score(queries, { workers: 2 }), scored);
  });
}
