import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluate, evaluateGenerated, outcomeOf } from '../../../src/evaluation/index.js';
import { fixed, generatedOf, instances } from './helper.js';

test('metrics of three rows computed by hand', async () => {
  const scores = [
    [9, 1, 2, 3], // place 1
    [2, 1, 9, 0], // place 2
    [0, 1, 2, 3], // place 4
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
  const tied = outcomeOf(instance!, { scores: [1, 1, 1, 0] });
  assert.deepEqual([tied.place, tied.numTied, tied.hit], [3, 2, false]);
  assert.notEqual(tied.answer, instance!.target);
});

test('the answer is the first of the best, and never the target at equal scores', () => {
  const [instance] = instances(1);
  const answers = [
    [1, 3, 3, 0], // two others are best
    [1, 2, 1, 0], // the best comes before one that ties with the target
    [1, 1, 2, 0], // and after one
    [2, 2, 2, 0], // ties with the target alone
    [3, 2, 2, 0],
  ].map((scores) => outcomeOf(instance!, { scores }).answer);
  assert.deepEqual(answers, [1, 1, 2, 1, 0]);
});

test('rows with a tie are counted, those of generated texts are not', async () => {
  const scores = [
    [1, 1, 0, 0],
    [1, 1, 1, 0],
    [2, 1, 1, 0],
    [0, 1, 2, 3],
    [0, 1, 2, 0],
  ];
  assert.equal((await evaluate(fixed(scores), instances(5))).numTiedRows, 3);
  assert.equal(generatedOf(['0', '1']).numTiedRows, 0);
});

test('gates go with the outcome where there are some', () => {
  const [instance] = instances(1);
  const scores = [1, 0, 0, 0];
  assert.deepEqual(outcomeOf(instance!, { scores, gates: [0.25, 0.75] }).gates, [0.25, 0.75]);
  assert.ok(!('gates' in outcomeOf(instance!, { scores })));
});

test('the time is that of ranking, in seconds', async () => {
  const { now } = performance;
  const readings = [1000, 3500];
  performance.now = () => readings.shift() ?? Number.NaN;
  try {
    assert.equal((await evaluate(fixed([[1, 0, 0, 0]]), instances(1))).seconds, 2.5);
  } finally {
    performance.now = now;
  }
});

test('unless said otherwise the bootstrap has seed 0 and 2000 resamples', async () => {
  // Ranks from 1 to 12: their means differ enough that one resample more or less shows.
  const rows = instances(40, { numCandidates: 12 });
  const recommender = fixed(
    rows.map((_, i) => rows[i]!.candidates.map((item) => (item === 0 ? i % 13 : item))),
  );
  const { metrics } = await evaluate(recommender, rows);
  const said = await evaluate(recommender, rows, { seed: 0, resamples: 2000 });
  assert.deepEqual(metrics, said.metrics);
});

test('place and hit do not depend on the order of the candidates', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 20 }),
      fc.infiniteStream(fc.nat()),
      (scores, keys) => {
        const order = scores.map((_, item) => ({ item, key: keys.next().value as number }));
        order.sort((a, b) => a.key - b.key);
        const [plain] = instances(1, { numCandidates: scores.length });
        const one = outcomeOf(plain!, { scores });
        const other = outcomeOf(
          { ...plain!, candidates: order.map(({ item }) => item) },
          { scores: order.map(({ item }) => scores[item]!) },
        );
        assert.deepEqual([one.place, one.hit], [other.place, other.hit]);
        assert.equal(one.hit, one.answer === plain!.target);
      },
    ),
  );
});

test('a wrong number of scores, NaN and a missing target name the row', () => {
  const [instance] = instances(1);
  assert.throws(() => outcomeOf(instance!, { scores: [1] }), /row 0: expected 4 scores/);
  assert.throws(() => outcomeOf(instance!, { scores: [1, NaN, 0, 0] }), {
    message: 'row 0: expected scores that are numbers, got [1, NaN, 0, 0]',
  });
  const lost = { ...instance!, target: 99 };
  assert.throws(() => outcomeOf(lost, { scores: [1, 2, 3, 4] }), {
    message: 'row 0: expected target 99 among the candidates exactly once, got [0, 1, 2, 3]',
  });
  for (const candidates of [
    [0, 0, 1, 2],
    [1, 0, 2, 0],
  ])
    assert.throws(
      () => outcomeOf({ ...instance!, candidates }, { scores: [1, 2, 3, 4] }),
      /target 0 .*exactly once/,
    );
});

test('no rows, a repeated row and too few scores are errors', async () => {
  await assert.rejects(evaluate(fixed([]), []), /at least one instance, got 0$/);
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

test('generated texts must be one per instance, of instances that hold their target once', () => {
  const valid = {
    method: 'llm',
    trainableParameters: 1,
    instances: instances(2),
    texts: ['0', '1'],
    titleOf: String,
    seconds: 1,
  };
  assert.equal(evaluateGenerated(valid).numRows, 2);
  assert.throws(() => evaluateGenerated({ ...valid, texts: ['0'] }), {
    message: 'llm: generated texts: expected 2, one per instance, got 1',
  });
  assert.throws(() => evaluateGenerated({ ...valid, instances: [], texts: [] }), /at least one/);
  const [one, two] = valid.instances;
  assert.throws(
    () => evaluateGenerated({ ...valid, instances: [one!, { ...two!, target: 9 }] }),
    /row 1: expected target 9 among/,
  );
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
  assert.ok(!('hr_at_1_valid' in evaluation.metrics));
  assert.equal(evaluation.metrics.valid_ratio.value, 0);
  assert.equal(evaluation.matcher, 'published');
});

test('an evaluation survives JSON', async () => {
  const evaluation = await evaluate(fixed([[1, 0, 0, 0]]), instances(1));
  assert.deepEqual(JSON.parse(JSON.stringify(evaluation)), evaluation);
});
