/** SASRec: which places a state depends on, how many values it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SASRec, SequenceRecommender } from '../../../src/recommenders/index.js';
import {
  engineThreads,
  Generator,
  mul,
  narrow,
  select,
  sum,
  Tensor,
} from '../../../src/tensor/index.js';
import { leaksNothing } from '../../support/leak.js';
import { tinyInstances, tinySasrec, tinySasrecOptions } from '../../support/models.js';
import { checkGradients, close, noise } from '../../support/numeric.js';

engineThreads(1);

const presets = ['classic', 'modern'] as const;
const ids = (rows: readonly (readonly number[])[]): Tensor =>
  Tensor.from(BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);

for (const preset of presets) {
  const make = (): SASRec => tinySasrec({ preset }).to('cpu', 'float64');

  test(`${preset}: padding on the right changes no real state`, () => {
    const model = make();
    const padded = model.forward(ids([[3, 1, 4, 12, 12, 12]]));
    close(narrow(padded, 1, 0, 3), model.forward(ids([[3, 1, 4]])), 1e-12);
  });

  test(`${preset}: a representation is the state after the last item, alone or in a batch`, () => {
    const model = make();
    const histories = [[3, 1, 4], [5], [9, 2, 6, 5, 3, 11]];
    const together = model.represent(histories);
    assert.deepEqual(together.shape, [3, 8]);
    for (const [b, history] of histories.entries()) {
      const states = model.forward(ids([history]));
      const row = narrow(together, 0, b, 1);
      close(row, select(states, 1, history.length - 1), 1e-12);
      close(row, model.represent([history]), 1e-12);
    }
  });

  test(`${preset}: only the last items count, and their order does`, () => {
    const model = make();
    const last = [9, 2, 6, 5, 3, 11];
    close(model.represent([[7, 7, 8, ...last]]), model.represent([last]), 0);
    assert.notDeepEqual(
      model.represent([last.toReversed()]).toNumbers(),
      model.represent([last]).toNumbers(),
    );
  });

  test(`${preset}: a later item changes no earlier state`, () => {
    const model = make();
    const a = model.forward(ids([[3, 1, 4, 5]]));
    const b = model.forward(ids([[3, 1, 4, 9]]));
    close(narrow(a, 1, 0, 3), narrow(b, 1, 0, 3), 1e-12);
    assert.notDeepEqual(select(a, 1, 3).toNumbers(), select(b, 1, 3).toNumbers());
  });

  test(`${preset}: permuting the batch permutes scores`, async () => {
    const recommender = new SequenceRecommender(make());
    const ranked = await recommender.score(tinyInstances);
    const reversed = await recommender.score(tinyInstances.toReversed());
    for (const [i, { scores }] of reversed.toReversed().entries())
      close(scores, ranked[i]!.scores, 1e-12);
  });

  test(`${preset}: gradients agree with finite differences`, () => {
    const model = make();
    const items = ids([
      [3, 1, 4, 12],
      [5, 9, 2, 6],
    ]);
    const block = model.blocks[0]!;
    checkGradients(
      () => {
        const logits = model.logits(model.forward(items));
        return sum(mul(logits, noise(logits.shape, 5)));
      },
      {
        positions: model.positions.weight,
        query: block.query.weight,
        value: block.value.bias!,
        norm: block.attentionNorm.weight,
        inner: block.inner.weight,
      },
      1e-6, // classic has relu, whose kinks may lie within the step
    );
  });
}

test('the number of values is the closed form of each preset', () => {
  const options = { ...tinySasrecOptions, catalogSize: 50, maxHistory: 10, width: 6, blocks: 3 };
  const [N, L, M] = [50, 10, 6];
  const count = (preset: 'classic' | 'modern'): number =>
    new SASRec({ ...options, preset }, new Generator(1)).trainableParameters;
  const tables = (N + 1) * M + L * M;
  const layer = (from: number, to: number): number => (from + 1) * to;
  const norms = 2 * 2 * M;
  assert.equal(
    count('modern'),
    tables + 3 * (norms + 4 * layer(M, M) + layer(M, 4 * M) + layer(4 * M, M)) + 2 * M,
  );
  assert.equal(
    count('classic'),
    tables + 3 * (norms + 3 * layer(M, M) + 2 * layer(M, M)) + 2 * M + layer(M, N),
  );
});

test('the padding row gets no gradient', () => {
  const model = tinySasrec({ preset: 'classic' });
  const states = model.forward(ids([[3, 12, 12]]));
  sum(mul(states, noise(states.shape, 1))).backward();
  const gradient = model.items.weight.grad!;
  assert.ok(
    select(gradient, 0, 12)
      .toNumbers()
      .every((value) => value === 0),
  );
  assert.ok(
    select(gradient, 0, 3)
      .toNumbers()
      .some((value) => value !== 0),
  );
});

test('an empty history is refused, not given the vector of its neighbour', () => {
  const model = tinySasrec();
  for (const histories of [[[]], [[3, 1], []]])
    assert.throws(() => model.represent(histories), {
      code: 'data',
      message: 'sasrec: history: expected at least one item, got []',
    });
});

test('items outside the catalog are an error, not a crash', () => {
  const model = tinySasrec();
  for (const item of [13, -1])
    assert.throws(
      () => model.represent([[3, item]]),
      /expected an item in \[0, 12\), got (-1|12|13)/,
    );
});

test('scores stand in the order of the candidates and are the logits of their items', async () => {
  const model = tinySasrec();
  const ranked = await new SequenceRecommender(model).score(tinyInstances);
  for (const [i, { history, candidates }] of tinyInstances.entries()) {
    const logits = model.logits(model.represent([history])).toNumbers();
    close(
      ranked[i]!.scores,
      candidates.map((item) => logits[item]!),
      1e-5,
    );
  }
});

test('retrieval gives the best unseen items, best first, and at most the catalog', async () => {
  const model = tinySasrec();
  const recommender = new SequenceRecommender(model);
  const history = [0, 5, 7];
  const logits = model.logits(model.represent([history])).toNumbers();
  const wanted = [...logits.keys()]
    .filter((item) => !history.includes(item))
    .sort((a, b) => logits[b]! - logits[a]!);
  const queries = [
    { history, count: 4 },
    { history, count: 100 },
    { history, count: 100, includesHistory: true },
  ];
  const [four, all, withHistory] = await recommender.retrieve(queries);
  assert.deepEqual(four?.items, wanted.slice(0, 4));
  assert.deepEqual(all?.items, wanted);
  assert.deepEqual(
    withHistory?.items,
    [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!),
  );
  assert.deepEqual(
    all?.scores,
    wanted.map((item) => logits[item]),
  );
});

test('ranking and retrieving leave no tensor behind', async () => {
  const recommender = new SequenceRecommender(tinySasrec());
  await leaksNothing(async () => {
    await recommender.score(tinyInstances);
    await recommender.retrieve([{ history: [1, 2], count: 3 }]);
  });
});
