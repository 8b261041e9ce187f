/** The base: gradients, causality, cache, masks, heads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateGreedy, KvCache, Llama } from '../../../src/llama/index.js';
import {
  argmax,
  cat,
  engineThreads,
  indexSelect,
  linear,
  mul,
  narrow,
  noGrad,
  reshape,
  sum,
  Tensor,
  zeros,
} from '../../../src/tensor/index.js';
import { expectedShapes } from '../../../src/weights/model-config.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyConfig, tinyLlama } from '../../support/models.js';
import { checkGradients, close, noise } from '../../support/numeric.js';

engineThreads(1);

const ids = (values: readonly number[], shape = [1, values.length]): Tensor =>
  Tensor.from(BigInt64Array.from(values, BigInt), shape);

test('gradients with respect to the embeddings agree with finite differences', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const hidden = noise([2, 3, 16], 1);
  checkGradients(
    () => {
      const states = model.forward(hidden);
      return sum(mul(states, noise(states.shape, 2)));
    },
    { hidden },
  );
});

test('states that are asked for are those of the full pass, in their order, and have its gradients', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const hidden = noise([3, 4, 16], 1);
  const states = [11, 0, 2, 9, 1]; // none of the second row's; three, none and two a row
  const all = model.forward(hidden);
  const picked = indexSelect(reshape(all, [12, 16]), 0, ids(states, [states.length]));
  const asked = model.forward(hidden, { states });
  assert.deepEqual(asked.shape, [5, 16]);
  close(asked.toNumbers(), picked.toNumbers(), 1e-12);
  checkGradients(() => sum(mul(model.forward(hidden, { states }), noise([5, 16], 2))), { hidden });
  for (const outside of [12, -1])
    assert.throws(() => model.forward(hidden, { states: [outside] }), {
      code: 'shape',
      message: /expected places in 3 rows of 4, got/,
    });
});

test('no weight of the base collects a gradient', () => {
  const model = tinyLlama();
  assert.equal([...model.namedParameters()].length, 0);
  const hidden = model.embed(ids([3, 4]));
  assert.equal(model.forward(hidden).requiresGrad, false);
});

test('tensors have the keys and shapes of Hugging Face, biases and both kinds of head included', () => {
  for (const tieWordEmbeddings of [true, false]) {
    for (const attentionBias of [true, false]) {
      const config = { ...tinyConfig, tieWordEmbeddings, attentionBias };
      const shapes = expectedShapes(config);
      const model = tinyLlama({ config });
      const own = new Map([...model.namedTensors()].map(([key, { shape }]) => [key, shape]));
      assert.deepEqual([...own].sort(), [...shapes].sort());
    }
  }
});

test('a tied head multiplies with the embedding table, an untied one with its own', () => {
  const states = noise([1, 2, 16], 1);
  const tied = tinyLlama({ config: { tieWordEmbeddings: true }, dtype: 'float64' });
  close(tied.logits(states), linear(states, tied.embedTokens.weight), 0);
  const untied = tinyLlama({ dtype: 'float64' });
  close(untied.logits(states), linear(states, untied.lmHead!.weight), 0);
  const V = tinyConfig.vocabSize;
  assert.equal(untied.parameterCount - tied.parameterCount, V * tinyConfig.hiddenSize);
});

test('a later token changes no earlier state', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const hidden = noise([1, 5, 16], 1);
  const changed = cat([narrow(hidden, 1, 0, 4), noise([1, 1, 16], 2)], 1);
  const a = model.forward(hidden);
  const b = model.forward(changed);
  close(narrow(a, 1, 0, 4), narrow(b, 1, 0, 4), 1e-12);
  assert.notDeepEqual(narrow(a, 1, 4, 1).toNumbers(), narrow(b, 1, 4, 1).toNumbers());
});

test('right padding and batch mates change no real state', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const short = noise([1, 3, 16], 1);
  const long = noise([1, 5, 16], 2);
  const padded = cat([short, zeros([1, 2, 16], { dtype: 'float64' })], 1);
  const both = model.forward(cat([padded, long], 0));
  close(narrow(narrow(both, 0, 0, 1), 1, 0, 3), model.forward(short), 1e-12);
  close(narrow(both, 0, 1, 1), model.forward(long), 1e-12);
});

test('permuting the batch permutes the states', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const hidden = noise([3, 4, 16], 1);
  const order = Tensor.from([1, 2, 0], [3], 'int64');
  close(
    model.forward(indexSelect(hidden, 0, order)),
    indexSelect(model.forward(hidden), 0, order),
    1e-12,
  );
});

test('each key/value head serves H / G neighbouring query heads', () => {
  const grouped = tinyLlama({ dtype: 'float64' });
  const weights = new Map(grouped.namedTensors());
  const full = { ...tinyConfig, numKvHeads: 4 };
  // Head h of the full model is head ⌊h / 2⌋ of the grouped one: rows 4 at a time, twice.
  const rows = Tensor.from([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7], [16], 'int64');
  const repeated = new Llama(full, (key) => {
    const weight = weights.get(key) as Tensor;
    return /[kv]_proj/.test(key) ? indexSelect(weight, 0, rows) : weight;
  });
  const hidden = noise([2, 4, 16], 1);
  close(repeated.forward(hidden), grouped.forward(hidden), 1e-12);
});

test('given positions and a causal mask are the default, row by row', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const hidden = noise([2, 3, 16], 1);
  const never = Number.NEGATIVE_INFINITY;
  const mask = Tensor.from(Float64Array.of(0, never, never, 0, 0, never, 0, 0, 0), [1, 1, 3, 3]);
  const positions = [0, 1, 2, 0, 1, 2];
  close(model.forward(hidden, { positions, mask }), model.forward(hidden), 1e-12);
});

test('with a cache, token by token gives what one pass gives', () => {
  const model = tinyLlama({ dtype: 'float64' });
  const hidden = noise([2, 5, 16], 1);
  const whole = model.forward(hidden);
  const cache = new KvCache();
  close(model.forward(narrow(hidden, 1, 0, 3), { cache }), narrow(whole, 1, 0, 3), 1e-12);
  assert.equal(cache.length, 3);
  for (const t of [3, 4])
    close(model.forward(narrow(hidden, 1, t, 1), { cache }), narrow(whole, 1, t, 1), 1e-12);
  assert.equal(cache.length, 5);
});

test('greedy generation with the cache equals generation without one, and leaves no tensor', async () => {
  for (const tieWordEmbeddings of [true, false]) {
    const model = tinyLlama({ config: { tieWordEmbeddings }, dtype: 'float64', seed: 4 });
    const prompt = [5, 9, 33];
    const hidden = model.embed(ids(prompt));
    generateGreedy(model, hidden, { maxNewTokens: 1, isEnd: () => false }); // builds its tables
    let tokens: number[] = [];
    await leaksNothing(() => {
      tokens = generateGreedy(model, hidden, { maxNewTokens: 8, isEnd: () => false });
    });
    const slow: number[] = [];
    noGrad(() => {
      while (slow.length < 8) {
        const states = model.forward(model.embed(ids([...prompt, ...slow])));
        const last = narrow(states, 1, states.axis(1) - 1, 1);
        slow.push(argmax(model.logits(last), -1).item());
      }
    });
    assert.deepEqual(tokens, slow);
    if (!tieWordEmbeddings) assert.ok(new Set(tokens).size > 2, `repeats itself: ${tokens}`);
    const end = tokens[2] as number;
    const ended = generateGreedy(model, hidden, { maxNewTokens: 8, isEnd: (t) => t === end });
    assert.deepEqual(ended, tokens.slice(0, tokens.indexOf(end) + 1));
  }
});

test('a wrong width, odd heads and several tokens after a cache are refused by name', () => {
  const model = tinyLlama({ dtype: 'float64' });
  assert.throws(() => model.forward(noise([1, 2, 15], 1)), {
    message: 'Llama.forward(hidden): expected shape [B, T, D=16], got [1, 2, 15]',
  });
  const cache = new KvCache();
  model.forward(noise([1, 2, 16], 1), { cache });
  assert.throws(() => model.forward(noise([1, 2, 16], 1), { cache }), /Llama.forward\(mask\)/);
  assert.throws(() => tinyLlama({ config: { numKvHeads: 3 } }), /divide the query heads/);
  assert.throws(() => tinyLlama({ config: { headDim: 3 } }), /an even head width/);
  assert.throws(() => model.forward(model.embed(ids([3, 64]))), /embedding.*out of range/s);
});

test('a text longer than the base can read is refused, and generation ends with the last position', () => {
  const model = tinyLlama({ config: { maxPositions: 6 } });
  const prompt = (length: number) => model.embed(ids(new Array(length).fill(1)));
  assert.equal(model.forward(prompt(6)).axis(1), 6);
  const refused = { code: 'data', message: /Llama\.forward: expected at most 6 positions.* got 7/ };
  assert.throws(() => model.forward(prompt(7)), refused);
  const positions = [0, 1, 6];
  assert.throws(() => model.forward(prompt(3), { positions }), refused);
  const tokens = generateGreedy(model, prompt(4), { maxNewTokens: 10, isEnd: () => false });
  assert.equal(
    tokens.length,
    3,
    'two positions are left, and the last of them says one more token',
  );
});
