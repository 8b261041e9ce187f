/** Vectors of texts from the base: by hand, one by one against batches, and their standard form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itemTextVectors, standardised, type TextReader } from '../../../src/recommenders/index.js';
import { Generator, noGrad, randn, Tensor } from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyLlama, wordEncoder } from '../../support/models.js';
import { close } from '../../support/numeric.js';

const reader: TextReader = { model: tinyLlama(), tokenizer: wordEncoder };

/** Of one to nine tokens, in no order of length, one of them twice. */
const texts = [
  'One',
  'Two Three Four Five',
  'A Very Long Title Of Many More Words Here',
  'Two Three',
  'One',
  'Six (1994)',
];

/** Mean over rows [T, D], from `first` on, in plain numbers. */
function meanOf(rows_1TD: Tensor, first = 0): number[] {
  const [, T, D] = rows_1TD.shape as [number, number, number];
  const values = rows_1TD.toNumbers();
  return Array.from({ length: D }, (_, d) => {
    let total = 0;
    for (let t = first; t < T; t++) total += values[t * D + d] as number;
    return total / (T - first);
  });
}

const idsOf = (...ids: number[]): Tensor => Tensor.from(ids, [1, ids.length], 'int64');

test('embeddings: the mean of the embeddings of the tokens', async () => {
  const vectors = await itemTextVectors(reader, texts, { kind: 'embeddings' });
  assert.deepEqual(vectors.shape, [6, 16]);
  const wanted = texts.flatMap((text) =>
    meanOf(reader.model.embed(idsOf(...wordEncoder.encode(text)))),
  );
  close(vectors, wanted, 1e-6);
});

for (const layers of [1, 2, undefined])
  test(`states: the mean of the tokens' states behind ${layers ?? 'all'} layers, whatever the batch`, async () => {
    const wanted = texts.flatMap((text) => {
      const ids = [wordEncoder.bosId as number, ...wordEncoder.encode(text)];
      const hidden_1TD = noGrad(() =>
        reader.model.forward(
          reader.model.embed(idsOf(...ids)),
          layers === undefined ? {} : { layers },
        ),
      );
      return meanOf(hidden_1TD, 1); // the token that begins a text is none of it
    });
    for (const batchTokens of [1, 12, 2048]) {
      const options = { kind: 'states', batchTokens, ...(layers && { layers }) } as const;
      close(await itemTextVectors(reader, texts, options), wanted, 2e-5, `batch of ${batchTokens}`);
    }
  });

test('layers matter, and all are the default', async () => {
  const of = async (layers?: number) =>
    (
      await itemTextVectors(reader, texts, { kind: 'states', ...(layers && { layers }) })
    ).toNumbers();
  assert.deepEqual(await of(), await of(2));
  assert.notDeepEqual(await of(1), await of(2));
});

test('the order of the texts is that of the vectors, and equal texts have equal ones', async () => {
  const forward = await itemTextVectors(reader, texts, { kind: 'states' });
  const backward = await itemTextVectors(reader, texts.toReversed(), { kind: 'states' });
  const rows = (vectors: Tensor): number[][] =>
    Array.from({ length: 6 }, (_, n) => vectors.toNumbers().slice(16 * n, 16 * n + 16));
  close(rows(backward).toReversed().flat(), forward, 1e-6);
  close(rows(forward)[0] as number[], rows(forward)[4] as number[], 1e-6);
});

test('a base without a first token of its own, and one in bfloat16', async () => {
  const { encode, decode } = wordEncoder;
  const plain = { model: reader.model, tokenizer: { encode, decode } };
  const ids = idsOf(...encode('Two Three'));
  const wanted = noGrad(() => meanOf(reader.model.forward(reader.model.embed(ids))));
  close(await itemTextVectors(plain, ['Two Three'], { kind: 'states' }), wanted, 2e-5);
  const half = { model: tinyLlama({ dtype: 'bfloat16' }), tokenizer: wordEncoder };
  for (const kind of ['embeddings', 'states'] as const) {
    const vectors = await itemTextVectors(half, texts, { kind });
    assert.equal(vectors.dtype, 'float32');
    close(vectors, await itemTextVectors(reader, texts, { kind }), 0.15);
  }
});

test('progress counts texts, a stop is heard, and nothing is left alive', async () => {
  const told: number[] = [];
  await leaksNothing(async () => {
    const options = { kind: 'states', batchTokens: 12 } as const;
    const onProgress = (done: number, total: number) => {
      assert.equal(total, 6);
      told.push(done);
    };
    const vectors = await itemTextVectors(reader, texts, { ...options, onProgress });
    vectors.dispose();
    assert.equal(told.at(-1), 6);
    assert.ok(told.length > 2 && told.every((done, i) => done > (told[i - 1] ?? 0)));
    const stop = new AbortController();
    await assert.rejects(
      itemTextVectors(reader, texts, {
        ...options,
        signal: stop.signal,
        onProgress: () => stop.abort(),
      }),
      { name: 'AbortError' },
    );
  });
});

test('what cannot be read is said', async () => {
  await assert.rejects(itemTextVectors(reader, [], { kind: 'states' }), { code: 'usage' });
  await assert.rejects(itemTextVectors(reader, ['One', ''], { kind: 'embeddings' }), {
    code: 'data',
    message: 'itemTextVectors(texts)[1]: expected tokens, got ""',
  });
  await assert.rejects(itemTextVectors(reader, ['One'], { kind: 'states', layers: 3 }), {
    code: 'usage',
    message: 'Llama.forward(layers): expected a whole number from 1 to 2, got 3',
  });
  const long = 'Word '.repeat(513);
  await assert.rejects(itemTextVectors(reader, [long], { kind: 'states' }), { code: 'data' });
});

test('standardised: by hand, and columns that are constant but for rounding are zeros', () => {
  const root = Math.sqrt(1.5);
  close(
    standardised(Tensor.from([1, 0.1, 2, 0.1, 3, 0.1], [3, 2], 'float32')),
    [-root, 0, 0, 0, root, 0],
    1e-6,
  );
  close(standardised(Tensor.from([5, -2], [1, 2], 'float32')), [0, 0], 0);
});

test('standardised columns have mean 0 and deviation 1, and their scale and place do not matter', () => {
  const x_ND = randn([40, 3], new Generator(5));
  const numbers = x_ND.toNumbers();
  const got = standardised(x_ND).toNumbers();
  for (let d = 0; d < 3; d++) {
    const column = got.filter((_, i) => i % 3 === d);
    close([column.reduce((sum, value) => sum + value, 0) / 40], [0], 1e-6);
    close([column.reduce((sum, value) => sum + value ** 2, 0) / 40], [1], 1e-5);
  }
  const moved = Tensor.from(
    numbers.map((value) => 7 * value + 3),
    [40, 3],
    'float32',
  );
  close(standardised(moved), got, 1e-5);
  assert.throws(() => standardised(Tensor.from([1, 2])), { code: 'shape' });
});
