/**
 * Here: settings, the loop, run folders, from settings to a trained model and back.
 * May use: recommenders, data, weights, optim, nn, tensor and below.
 * Used by: audit, studies, cli.
 */
export {
  expectSettings,
  openRun,
  type Run,
  type RunHooks,
  type ScoreOptions,
  type Shared,
  type TrainOptions,
  trainRun,
  type ValidationMetrics,
} from './run.js';
export { RunFolder } from './run-folder.js';
export { type RunRecord, readRecord } from './run-record.js';
export {
  methodJsonSchema,
  pickKeys,
  readDocument,
  readSettings,
  resolveSettings,
  type Settings,
  settingsJsonSchema,
} from './settings.js';
export { type StepFigures, type StepOptions, trainingStep } from './step.js';
export {
  type StepReport,
  type TrainerHooks,
  type TrainerOptions,
  type TrainingSummary,
  train,
  type Validation,
} from './trainer.js';
export { isAbort } from './training-error.js';
