/**
 * Training: settings, the loop, run folders.
 */
export { baseRecommender } from './assemble.js';

export { PRESET_NAMES, PRESETS, type Preset } from './presets.js';
export {
  openRun,
  type Run,
  type RunHooks,
  type Shared,
  trainRun,
  type ValidationMetrics,
} from './run.js';
export { RunFolder } from './run-folder.js';
export type { RunRecord } from './run-record.js';
export {
  readSettings,
  resolveSettings,
  type Settings,
  type SettingsInput,
  settingsJsonSchema,
} from './settings.js';
export {
  type StepReport,
  type TrainerHooks,
  type TrainerOptions,
  type TrainingSummary,
  train,
  type Validation,
} from './trainer.js';
export { isAbort } from './training-error.js';
