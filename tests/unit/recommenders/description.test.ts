/** A language-model method as plain data, and slots whose vectors come from elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmRecommender } from '../../../src/recommenders/index.js';
import { modelParts } from '../../../src/recommenders/llm/description.js';
import { describe as describeModel } from '../../../src/recommenders/llm/threads/plan.js';
import { VectorTable } from '../../../src/recommenders/llm/vector-table.js';
import { engineThreads, keep, noGrad, scope } from '../../../src/tensor/index.js';
import { tinyIlora, tinyInstances, tinyLlama, tinySasrec } from '../../support/models.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const items = Array.from({ length: 12 }, (_, item) => item);

test('a description is plain data that makes the same model, tensors aside', () => {
  const made = tinyIlora();
  const description = describeModel(made.parts);
  assert.deepEqual(structuredClone(description), description);
  const parts = modelParts(structuredClone(description), {
    base: tinyLlama(),
    encoder: tinySasrec().freeze(),
    seed: 3,
  });
  const shapes = (tensors: Iterable<[string, { shape: readonly number[] }]>) =>
    [...tensors].map(([key, { shape }]) => [key, [...shape]]);
  assert.deepEqual(
    shapes(parts.adapter!.namedTensors()),
    shapes(made.parts.adapter.namedTensors()),
  );
});

test('a table of the encoder’s own vectors scores as the encoder does, another table otherwise', async () => {
  const made = tinyIlora();
  const { encoder } = made.parts;
  const table = keep(noGrad(() => scope(() => encoder.itemVectors(items))));
  const wanted = await made.score(tinyInstances);
  const same = new LlmRecommender({ ...made.parts, vectors: new VectorTable(table) });
  assert.deepEqual(await same.score(tinyInstances), wanted);
  const turned = keep(noGrad(() => scope(() => encoder.itemVectors(items.toReversed()))));
  const other = new LlmRecommender({ ...made.parts, vectors: new VectorTable(turned) });
  const got = await other.score(tinyInstances);
  assert.notDeepEqual(got, wanted);
  for (const [i, { gates }] of got.entries()) close([...gates!], [...wanted[i]!.gates!], 0);
  // In threads of their own the table is the main thread's.
  const threads = await other.score(tinyInstances, { workers: 2 });
  for (const [i, { scores }] of threads.entries()) close([...scores], [...got[i]!.scores], 1e-5);
});
