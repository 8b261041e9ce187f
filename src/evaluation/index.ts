/**
 * Here: outcomes of rows, metrics with intervals, paired tests.
 * May use: recommenders, data and below; not training.
 * Used by: analysis and above.
 */
export {
  type Compared,
  type CompareOptions,
  type Comparison,
  compare,
  comparePairs,
  compareWithAll,
  type Difference,
  holm,
  mcnemar,
} from './compare.js';
export {
  type EvaluationDocument,
  evaluationDocument,
  evaluationSchema,
  evaluationSummary,
  evaluationSummarySchema,
  readEvaluation,
} from './document.js';
export {
  affordableCatalog,
  CATALOG_LIMIT,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationHead,
  evaluate,
  evaluateGenerated,
  type Filtered,
  type GeneratedTexts,
  restrict,
  type ScoringOptions,
  summarise,
} from './evaluate.js';
export { type BootstrapOptions, bootstrapRatio, type Estimate, wilson } from './interval.js';
export { MATCHERS, type Matcher, type MatcherName, matchPublished, matchTitle } from './match.js';
export { meanOf } from './mean.js';
export { METRIC_NAMES, type MetricName, type Metrics, metricLabel } from './metric.js';
export { type Outcome, type OutcomeOptions, outcomeOf } from './outcome.js';
