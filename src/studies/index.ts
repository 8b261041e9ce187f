/**
 * Here: studies, that is several methods on one dataset, from settings to a report.
 * May use: analysis, evaluation, training, recommenders and below.
 * Used by: cli.
 */
export type { StudyExample } from './examples.js';
export {
  type CheckedResults,
  checkResults,
  type ResultPlaces,
  writeFigures,
} from './results/check.js';
export {
  figuresSchema,
  type ResultFigures,
  type Results,
  readResults,
  resultsOf,
  resultsSchema,
  resultsText,
} from './results/document.js';
export { figuresOf } from './results/figures.js';
export { withTables } from './results/tables.js';
export { perUser, rowsOf } from './rows.js';
export { type StudySettings, studySettings, type Variant, type VariantRun } from './settings.js';
export { evaluateShown, generateShown, type ShownProgress, type StudyHooks } from './shown.js';
export { runStudy, runStudyMethod } from './study.js';
export { studySummary } from './summary.js';
export type { RowSet, Study, StudyMethod, StudyResult, StudyRun, StudySection } from './types.js';
export { yardsticks } from './yardsticks.js';
