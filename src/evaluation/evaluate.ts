/**
 * The one evaluator, for validation and test alike: rows in, outcomes and metrics with intervals out.
 *
 * It sees the `Recommender` interface, or generated texts, and no class behind them. Every row is
 * counted; candidates come frozen with the instances.
 */
import type { Instance } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import type { Recommender } from '../recommenders/index.js';
import type { BootstrapOptions } from './interval.js';
import { MATCHERS, type MatcherName } from './match.js';
import { type Metrics, measure } from './metric.js';
import { type Outcome, outcomeOf, targetColumn } from './outcome.js';

/** One method on one set of rows. Plain data: it can be written as JSON and read back. */
export interface Evaluation {
  method: string;
  mode: 'scoring' | 'generation';
  /** The rule from text to candidate; generation only. */
  matcher?: MatcherName;
  trainableParameters: number;
  numRows: number;
  numUsers: number;
  /** Rows in which another candidate had exactly the target's score (counted as missed). */
  numTiedRows: number;
  /** Time the method took to answer. */
  seconds: number;
  metrics: Metrics;
  outcomes: Outcome[];
}

export interface EvaluateOptions {
  /** Of the bootstrap; 0 unless said. */
  seed?: number;
  /** Of the bootstrap. */
  resamples?: number;
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Texts that a method generated for the instances, row by row. */
export interface GeneratedTexts {
  method: string;
  trainableParameters: number;
  instances: readonly Instance[];
  /** Text i answers instance i. */
  texts: readonly string[];
  /** Title of an item as the prompt showed it. */
  titleOf: (item: number) => string;
  /** Time taken to generate. */
  seconds: number;
}

/**
 * Scores the candidates of every instance and measures where the targets land.
 *
 * @throws IloraError (`data`) on no instances, on a row that occurs twice, or on scores that do not
 *   fit the candidates
 */
export async function evaluate(
  recommender: Recommender,
  instances: readonly Instance[],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { onProgress, signal } = options;
  checkInstances(instances);
  const start = performance.now();
  const scored = await recommender.score(instances, { onProgress, signal });
  const seconds = (performance.now() - start) / 1000;
  if (scored.length !== instances.length)
    throw mismatch('data', {
      where: `${recommender.name}.score`,
      expected: `${instances.length} lists of scores, one per instance`,
      got: scored.length,
    });
  const outcomes = instances.map((instance, index) => outcomeOf(instance, scored[index]!));
  return summarise(outcomes, options, {
    method: recommender.name,
    mode: 'scoring',
    trainableParameters: recommender.trainableParameters,
    seconds,
  });
}

/**
 * Measures generated texts: HR@1 over all rows, over valid rows, and ValidRatio. There is no ranking.
 *
 * @param matcher  `title`, or `published` for the rule of the papers
 */
export function evaluateGenerated(
  { method, trainableParameters, instances, texts, titleOf, seconds }: GeneratedTexts,
  { matcher = 'title', ...options }: EvaluateOptions & { matcher?: MatcherName } = {},
): Evaluation {
  checkInstances(instances);
  if (texts.length !== instances.length)
    throw mismatch('data', {
      where: `${method}: generated texts`,
      expected: `${instances.length}, one per instance`,
      got: texts.length,
    });
  const outcomes = instances.map((instance, index): Outcome => {
    targetColumn(instance);
    const { row, user, target, candidates } = instance;
    const text = texts[index]!;
    const named = MATCHERS[matcher](text, candidates.map(titleOf));
    const answer = named === undefined ? undefined : candidates[named];
    return { row, user, target, candidates, answer, hit: answer === target, text };
  });
  return summarise(outcomes, options, {
    method,
    mode: 'generation',
    matcher,
    trainableParameters,
    seconds,
  });
}

function summarise(
  outcomes: Outcome[],
  { seed = 0, resamples = 2000 }: EvaluateOptions,
  head: Pick<Evaluation, 'method' | 'mode' | 'matcher' | 'trainableParameters' | 'seconds'>,
): Evaluation {
  const bootstrap: BootstrapOptions = { seed, resamples };
  return {
    ...head,
    numRows: outcomes.length,
    numUsers: new Set(outcomes.map(({ user }) => user)).size,
    numTiedRows: outcomes.filter(({ numTied }) => (numTied ?? 0) > 0).length,
    metrics: measure(outcomes, bootstrap),
    outcomes,
  };
}

function checkInstances(instances: readonly Instance[]): void {
  const where = 'evaluate(instances)';
  if (instances.length === 0)
    throw mismatch('data', { where, expected: 'at least one instance', got: 0 });
  const rows = new Set<number>();
  for (const { row } of instances) {
    if (rows.has(row))
      throw mismatch('data', { where, expected: 'every row once', got: `row ${row} twice` });
    rows.add(row);
  }
}
