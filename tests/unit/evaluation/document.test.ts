/** An evaluation as a file, and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  evaluate,
  evaluateGenerated,
  evaluationDocument,
  evaluationSchema,
  evaluationSummary,
  evaluationSummarySchema,
  readEvaluation,
} from '../../../src/evaluation/index.js';
import { fixed, instances } from './helper.js';

const scored = () =>
  evaluate(
    {
      ...fixed([
        [3, 3, 1, 0],
        [1, 0, 0, 0],
      ]),
      score: async () => [{ scores: [3, 3, 1, 0], gates: [0.25, 0.75] }, { scores: [1, 0, 0, 0] }],
    },
    instances(2),
    { resamples: 50 },
  );

const generated = () =>
  evaluateGenerated({
    method: 'x (generated)',
    trainableParameters: 3,
    instances: instances(2),
    texts: ['A', 'nothing of them'],
    titleOf: (item) => 'ABCD'.charAt(item),
    seconds: 0.5,
  });

/** Over the catalog of four, with a candidate and a target that the users had before. */
const filtered = () =>
  evaluate(
    fixed([
      [3, 5, 1, 0],
      [1, 0, 0, 0],
    ]),
    instances(2).map((instance, row) => ({ ...instance, history: [row === 0 ? 1 : 0], pool: 3 })),
    { resamples: 50, protocol: 'history', catalogSize: 4 },
  );

test('a file holds what was evaluated, and gives it back as it was', async () => {
  for (const evaluation of [await scored(), generated(), await filtered()]) {
    const text = JSON.stringify(evaluationDocument(evaluation));
    assert.deepEqual(readEvaluation(JSON.parse(text), 'x.json'), {
      ...evaluation,
      outcomes: evaluation.outcomes.map((outcome) => ({ ...outcome })),
    });
  }
});

test('keys are snake_case, and the outcome of a row can be read without the program', async () => {
  const { outcomes, ...head } = evaluationDocument(await scored());
  assert.deepEqual(Object.keys(head).sort(), [
    ...['method', 'metrics', 'mode', 'num_rows', 'num_tied_rows', 'num_users', 'protocol'],
    ...['seconds', 'trainable_parameters'],
  ]);
  assert.deepEqual(outcomes[0], {
    row: 0,
    user: 'user 0',
    target: 0,
    candidates: [0, 1, 2, 3],
    answer: 1,
    hit: false,
    place: 2,
    num_tied: 1,
    scores: [3, 3, 1, 0],
    gates: [0.25, 0.75],
  });
  assert.equal(outcomes[1]?.num_tied, 0);
});

test('a file of an earlier version, which knew no protocol, was of windows', async () => {
  const { protocol, ...earlier } = evaluationDocument(await scored());
  assert.equal(protocol, 'window');
  assert.deepEqual(readEvaluation(earlier, 'x.json'), await scored().then(withSeconds(earlier)));
});

/** The evaluation with the time of the document. */
const withSeconds =
  ({ seconds }: { seconds: number }) =>
  <T>(evaluation: T): T => ({ ...evaluation, seconds });

test('what the filter took out is null among the scores, and a repeat says so', async () => {
  const { filter, catalog_size, outcomes } = evaluationDocument(await filtered());
  assert.deepEqual(filter, { candidates: 1, share: 1 / 6, targets: 1 });
  assert.equal(catalog_size, 4);
  const [first, second] = JSON.parse(JSON.stringify(outcomes));
  assert.deepEqual([first.scores, first.rivals, first.is_repeat], [[3, null, 1, 0], 0, undefined]);
  assert.deepEqual([second.scores, second.rivals, second.is_repeat], [[null, 0, 0, 0], 3, true]);
});

test('the summary is the document without its rows', async () => {
  const evaluation = await scored();
  const { outcomes: _, ...head } = evaluationDocument(evaluation);
  assert.deepEqual(evaluationSummary(evaluation), head);
  assert.ok(evaluationSummarySchema.strict().safeParse(head).success);
});

test('an answer that names no candidate is absent from the file and undefined again', () => {
  const document = JSON.parse(JSON.stringify(evaluationDocument(generated())));
  assert.ok(!('answer' in document.outcomes[1]));
  const read = readEvaluation(document, 'x.json');
  assert.ok('answer' in read.outcomes[1]!);
  assert.equal(read.outcomes[1]?.answer, undefined);
  assert.equal(read.outcomes[0]?.answer, 0);
});

test('every field that a reader counts on is checked, all faults at once with their places', async () => {
  const whole = JSON.parse(JSON.stringify(evaluationDocument(await scored())));
  assert.ok(evaluationSchema.safeParse(whole).success);
  const broken = structuredClone(whole);
  delete broken.metrics.hr_at_1.low;
  broken.outcomes[1].target = -1;
  broken.num_rows = 1.5;
  assert.throws(() => readEvaluation(broken, 'x.json'), {
    code: 'format',
    message:
      /^x\.json: 3 problems\n {2}num_rows: .*\n {2}metrics\.hr_at_1\.low: .*\n {2}outcomes\.1\.target: /,
  });
  for (const key of ['row', 'target', 'place', 'num_tied']) {
    const negative = structuredClone(whole);
    negative.outcomes[0][key] = -1;
    assert.throws(() => readEvaluation(negative, 'x.json'), { code: 'format' }, key);
  }
  for (const key of ['trainable_parameters', 'num_users', 'num_tied_rows', 'seconds']) {
    assert.throws(() => readEvaluation({ ...whole, [key]: -1 }, 'x.json'), { code: 'format' }, key);
    const zero = { ...whole, [key]: 0 };
    assert.doesNotThrow(() => readEvaluation(zero, 'x.json'), key);
  }
  for (const value of [{ mode: 'guessing' }, { matcher: 'luck' }, { metrics: { hr_at_99: {} } }])
    assert.throws(() => readEvaluation({ ...whole, ...value }, 'x.json'), { code: 'format' });
  assert.doesNotThrow(() => readEvaluation({ ...whole, metrics: {} }, 'x.json'));
});
