/**
 * The figures that a result's rows give. Nothing is trained, and nothing but the rows is taken from the file.
 */
import {
  type Comparison,
  type Difference,
  type Evaluation,
  type Outcome,
  summarise,
} from '../../evaluation/index.js';
import { perUser } from '../rows.js';
import { sectionsOf } from '../sections.js';
import type { Measured, StudySection } from '../types.js';
import type { ResultFigures, ResultRows, Results } from './document.js';

type Run = Results['methods'][number]['runs'][number];

/** @param name of the result: that of its file */
export function figuresOf(results: Results, name: string): ResultFigures {
  const methods = results.methods.map(({ name, method, runs }) => ({
    ...{ name, method },
    runs: runs.map((run) => ({
      measured: run.evaluations.flatMap((one) =>
        measuredIn(results, { ...one, run, name, isSingle: runs.length === 1 }),
      ),
    })),
  }));
  const sections = sectionsOf(methods, results);
  const labels = new Map(results.methods.map(({ name, label }) => [name, label]));
  const rowsOf = ({ protocol, split, perUser: count, evaluations }: StudySection) => ({
    ...{ result: name, protocol, split },
    ...(count !== undefined && { per_user: count }),
    rows: evaluations[0]!.numRows,
  });
  return {
    methods: sections.flatMap((section) =>
      section.evaluations.map((evaluation) => ({
        ...rowsOf(section),
        ...{ name: evaluation.method, label: labels.get(evaluation.method)! },
        ...methodFigures(evaluation),
      })),
    ),
    comparisons: sections.flatMap((section) =>
      section.comparisons.map((comparison) => ({
        ...rowsOf(section),
        ...comparisonFigures(comparison),
      })),
    ),
  };
}

/** What a run scored on rows, and on some of them where users have many. */
function measuredIn(
  results: Results,
  {
    protocol,
    split,
    places,
    rivals,
    seconds,
    catalog_size: catalogSize,
    run,
    name,
    isSingle,
  }: Run['evaluations'][number] & { run: Run; name: string; isSingle: boolean },
): Measured[] {
  const rows = results.rows.find((each) => each.protocol === protocol && each.split === split)!;
  const outcomes = outcomesOf(rows, { places, rivals, candidates: results.candidates });
  // Of several runs only the values are needed: the intervals are those of the mean.
  const evaluationOf = (own: Outcome[]): Evaluation =>
    summarise(own, isSingle ? {} : { resamples: 1 }, {
      ...{ method: name, mode: 'scoring', protocol },
      ...(catalogSize !== undefined && { catalogSize }),
      trainableParameters: run.trainable_parameters,
      seconds: (seconds * own.length) / outcomes.length,
    });
  const whole: Measured = { protocol, split, evaluation: evaluationOf(outcomes) };
  const count = results.wide_rows_per_user;
  if (split !== 'test-wide' || count === 0) return [whole];
  const some = evaluationOf(perUser(outcomes, count));
  return [whole, { protocol, split, perUser: count, evaluation: some }];
}

function outcomesOf(
  { row, user, target, pool, repeats = [] }: ResultRows,
  {
    places,
    rivals,
    candidates: count,
  }: { places: readonly number[]; rivals: readonly number[] | null; candidates: number },
): Outcome[] {
  // Their number counts; which items they were is in the dataset.
  const candidates = Array.from({ length: count }, (_, place) => place);
  return row.map((number, i) => ({
    ...{ row: number, user: user[i]!, target: target[i]!, candidates },
    answer: places[i] === 1 ? target[i]! : -1,
    ...{ hit: places[i] === 1, place: places[i]! },
    ...(typeof pool[i] === 'number' && { pool: pool[i] }),
    ...(rivals && { rivals: rivals[i]! }),
    ...(repeats.includes(number) && { isRepeat: true as const }),
  }));
}

function methodFigures({ metrics, runs = 1, spread = {}, trainableParameters }: Evaluation) {
  const { hr_at_1, expected_hr_at_1: expected, ndcg_at_10 } = metrics;
  return {
    ...{ seeds: runs, trainable_parameters: trainableParameters },
    hr_at_1: hr_at_1.value,
    interval: [hr_at_1.low, hr_at_1.high] as [number, number],
    interval_kind: hr_at_1.interval,
    ...(spread.hr_at_1 !== undefined && { spread: spread.hr_at_1 }),
    expected_hr_at_1: expected?.value ?? null,
    expected_interval: expected ? ([expected.low, expected.high] as [number, number]) : null,
    ...(spread.expected_hr_at_1 !== undefined && { expected_spread: spread.expected_hr_at_1 }),
    ndcg_at_10: ndcg_at_10!.value,
    catalog_hr_at_10: metrics.catalog_hr_at_10?.value ?? null,
    catalog_ndcg_at_10: metrics.catalog_ndcg_at_10?.value ?? null,
    recall_at_50: metrics.recall_at_50?.value ?? null,
  };
}

function comparisonFigures({
  methods: [first, second],
  test,
  pValue,
  adjustedPValue = pValue,
  expected,
  differences,
}: Comparison) {
  const { hr_at_1, expected_hr_at_1 } = differences;
  return {
    ...{ first, second, test },
    hr_at_1: pairedFigures(hr_at_1, pValue, adjustedPValue),
    expected_hr_at_1:
      expected && expected_hr_at_1
        ? pairedFigures(
            expected_hr_at_1,
            expected.pValue,
            expected.adjustedPValue ?? expected.pValue,
          )
        : null,
  };
}

const pairedFigures = ({ value, low, high }: Difference, pValue: number, adjusted: number) => ({
  ...{ value, interval: [low, high] as [number, number] },
  ...{ p_value: pValue, adjusted_p_value: adjusted },
});
