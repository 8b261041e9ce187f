/**
 * Several runs of one method that differ in their seed, as one evaluation.
 *
 * A row's part of a metric is the mean over the runs. So an interval says what other users would bring, and `spread`
 * apart from it what other seeds would.
 */
import { mismatch } from '../errors/index.js';
import { checkSameRows } from './compare.js';
import type { EvaluateOptions, Evaluation } from './evaluate.js';
import { METRIC_NAMES, type MetricName, measureMean } from './metric.js';

/**
 * The mean of evaluations of one method on the same rows; of one, itself.
 *
 * @throws IloraError `data` unless they are of the same rows and protocol
 */
export function meanOf(
  evaluations: readonly Evaluation[],
  { seed = 0, resamples = 2000 }: EvaluateOptions = {},
): Evaluation {
  const [first, ...others] = evaluations;
  if (first === undefined)
    throw mismatch('usage', { where: 'meanOf', expected: 'at least one evaluation', got: 0 });
  if (others.length === 0) return first;
  for (const other of others) checkSameRows(first, other);
  const runs = evaluations.map(({ outcomes }) => outcomes);
  return {
    ...first,
    seconds: mean(evaluations.map(({ seconds }) => seconds)),
    numTiedRows: Math.max(...evaluations.map(({ numTiedRows }) => numTiedRows)),
    metrics: measureMean(runs, { seed, resamples }),
    runs: evaluations.length,
    spread: spreadOf(evaluations),
  };
}

function spreadOf(evaluations: readonly Evaluation[]): Partial<Record<MetricName, number>> {
  return Object.fromEntries(
    METRIC_NAMES.flatMap((name) => {
      const values = evaluations.flatMap(({ metrics }) => metrics[name]?.value ?? []);
      return values.length < evaluations.length ? [] : [[name, standardDeviation(values)]];
    }),
  );
}

function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.map((value) => (value - centre) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (values.length - 1));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
