/** Evaluations as files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Evaluation,
  evaluate,
  evaluationDocument,
  evaluationSummary,
  readEvaluation,
} from '../../../src/evaluation/index.js';
import { fixed, generatedOf, instances } from './helper.js';

const asFile = (evaluation: Evaluation): Record<string, unknown> =>
  JSON.parse(JSON.stringify(evaluationDocument(evaluation)));

test('what is read is what was written: ranked rows with ties and gates, and generated texts', async () => {
  const recommender = fixed([
    [1, 1, 0, 0],
    [3, 1, 2, 0],
  ]);
  const scored = await recommender.score(instances(2));
  recommender.score = async () => [scored[0]!, { ...scored[1]!, gates: [0.25, 0.75] }];
  for (const evaluation of [
    await evaluate(recommender, instances(2)),
    generatedOf(['0', 'no title']),
  ])
    assert.deepEqual(readEvaluation(asFile(evaluation), 'file'), evaluation);
});

test('keys are snake_case, and the summary is the document without its rows', async () => {
  const evaluation = await evaluate(fixed([[1, 0, 0, 0]]), instances(1));
  const { outcomes, ...rest } = asFile(evaluation) as { outcomes: Record<string, unknown>[] };
  assert.deepEqual(JSON.parse(JSON.stringify(evaluationSummary(evaluation))), rest);
  assert.equal(outcomes[0]?.num_tied, 0);
  for (const key of ['trainable_parameters', 'num_rows', 'num_users', 'num_tied_rows'])
    assert.ok(key in rest, key);
});

test('every misfit is said with its place', async () => {
  const document = asFile(await evaluate(fixed([[1, 0, 0, 0]]), instances(1)));
  const [outcome] = document.outcomes as Record<string, unknown>[];
  const broken = {
    ...document,
    num_rows: -1,
    seconds: -1,
    outcomes: [{ ...outcome, row: -1, target: 0.5, candidates: [-1], answer: -1, rank: -1 }],
  };
  assert.throws(
    () => readEvaluation(broken, 'evaluation.json'),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'format');
      const places = error.message.split('\n').slice(1);
      assert.deepEqual(places.map((line) => /[a-z_]+(?:\.\w+)*(?=:)/.exec(line)?.[0]).sort(), [
        'num_rows',
        'outcomes.0.answer',
        'outcomes.0.candidates.0',
        'outcomes.0.rank',
        'outcomes.0.row',
        'outcomes.0.target',
        'seconds',
      ]);
      return true;
    },
  );
});
