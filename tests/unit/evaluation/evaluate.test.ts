import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluate, evaluateGenerated, rankOutcome } from '../../../src/evaluation/index.js';
import { fixed, instances } from './helper.js';

test('metrics of three rows computed by hand', async () => {
  const scores = [
    [9, 1, 2, 3], // rank 1
    [2, 1, 9, 0], // rank 2
    [0, 1, 2, 3], // rank 4
  ];
  const { metrics, ...rest } = await evaluate(fixed(scores), instances(3));
  assert.equal(rest.numRows, 3);
  assert.equal(rest.trainableParameters, 7);
  assert.equal(metrics.hr_at_1.value, 1 / 3);
  assert.deepEqual(
    [metrics.hr_at_1.count, metrics.hr_at_1.total, metrics.hr_at_1.interval],
    [1, 3, 'wilson'],
  );
  assert.equal(metrics.hr_at_3?.value, 2 / 3);
  assert.equal(metrics.hr_at_5?.value, 1);
  assert.equal(metrics.mrr?.value, (1 + 1 / 2 + 1 / 4) / 3);
  const ndcg = (1 + 1 / Math.log2(3) + 1 / Math.log2(5)) / 3;
  assert.ok(Math.abs(metrics.ndcg_at_5!.value - ndcg) < 1e-12);
  assert.equal(metrics.mrr?.interval, 'bootstrap');
  assert.equal(metrics.valid_ratio.value, 1);
});

test('ties count against the method: equal scores are no hit', () => {
  const [instance] = instances(1);
  const tied = rankOutcome(instance!, { scores: [1, 1, 1, 0] });
  assert.deepEqual([tied.rank, tied.numTied, tied.hit], [3, 2, false]);
  assert.notEqual(tied.answer, instance!.target);
});

test('rank and hit do not depend on the order of the candidates', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 20 }),
      fc.infiniteStream(fc.nat()),
      (scores, keys) => {
        const order = scores.map((_, item) => ({ item, key: keys.next().value as number }));
        order.sort((a, b) => a.key - b.key);
        const [plain] = instances(1, { numCandidates: scores.length });
        const one = rankOutcome(plain!, { scores });
        const other = rankOutcome(
          { ...plain!, candidates: order.map(({ item }) => item) },
          { scores: order.map(({ item }) => scores[item]!) },
        );
        assert.deepEqual([one.rank, one.hit], [other.rank, other.hit]);
        assert.equal(one.hit, one.answer === plain!.target);
      },
    ),
  );
});

test('a wrong number of scores, NaN and a missing target name the row', () => {
  const [instance] = instances(1);
  assert.throws(() => rankOutcome(instance!, { scores: [1] }), /row 0: expected 4 scores/);
  assert.throws(() => rankOutcome(instance!, { scores: [1, NaN, 0, 0] }), /row 0: .*numbers/);
  const lost = { ...instance!, target: 99 };
  assert.throws(() => rankOutcome(lost, { scores: [1, 2, 3, 4] }), /target 99 .*exactly once/);
});

test('no rows, a repeated row and too few scores are errors', async () => {
  await assert.rejects(evaluate(fixed([]), []), /at least one instance/);
  const [one] = instances(1);
  await assert.rejects(evaluate(fixed([]), [one!, one!]), /row 0 twice/);
  const silent = { ...fixed([]), score: async () => [] };
  await assert.rejects(evaluate(silent, [one!]), /expected 1 lists of scores/);
});

test('repeated users are clustered', async () => {
  const rows = instances(8, { userOf: (row) => `user ${row % 4}` });
  const evaluation = await evaluate(fixed(rows.map((_, i) => [i % 2, 0.5, 0, 0])), rows);
  assert.equal(evaluation.numUsers, 4);
  assert.equal(evaluation.metrics.hr_at_1.interval, 'bootstrap');
});

test('generated text: hits over all rows, over valid rows, and ValidRatio', () => {
  const names = ['Heat', 'Alien', 'Alien Nation', 'Fargo'];
  const evaluation = evaluateGenerated({
    method: 'llm',
    trainableParameters: 1,
    instances: instances(4),
    texts: ['Heat', 'fargo\n', 'something else', 'Alien Nation'],
    titleOf: (item) => names[item]!,
    seconds: 1,
  });
  const { hr_at_1, hr_at_1_valid, valid_ratio, mrr } = evaluation.metrics;
  assert.deepEqual([hr_at_1.count, hr_at_1.total], [1, 4]);
  assert.deepEqual([hr_at_1_valid?.count, hr_at_1_valid?.total], [1, 3]);
  assert.deepEqual([valid_ratio.count, valid_ratio.total], [3, 4]);
  assert.equal(mrr, undefined, 'generation ranks nothing');
  assert.equal(evaluation.outcomes[2]!.answer, undefined);
});

test('without a valid answer there is no HR@1 over valid rows', () => {
  const evaluation = evaluateGenerated(
    {
      method: 'llm',
      trainableParameters: 1,
      instances: instances(2),
      texts: ['', '?'],
      titleOf: String,
      seconds: 1,
    },
    { matcher: 'published' },
  );
  assert.equal(evaluation.metrics.hr_at_1_valid, undefined);
  assert.equal(evaluation.metrics.valid_ratio.value, 0);
  assert.equal(evaluation.matcher, 'published');
});

test('an evaluation survives JSON', async () => {
  const evaluation = await evaluate(fixed([[1, 0, 0, 0]]), instances(1));
  assert.deepEqual(JSON.parse(JSON.stringify(evaluation)), evaluation);
});
