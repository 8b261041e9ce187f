/**
 * How training and studies show themselves on the terminal, and how a run is scored on validation.
 */
import { evaluate } from '../evaluation/index.js';
import { SELECTABLE } from '../recommenders/index.js';
import type { StudyHooks } from '../studies/index.js';
import type { RunHooks } from '../training/index.js';
import { note, Progress } from './terminal.js';

/** Hooks of a study for the command line. */
export function studyHooks(signal: AbortSignal): StudyHooks {
  return {
    signal,
    note,
    progress: (label, total, unit) => new Progress(label, total, unit),
    run: trainHooks(signal),
  };
}

/** Hooks of a training run for the command line. */
export function trainHooks(signal: AbortSignal): RunHooks {
  let stage = '';
  let progress: Progress | undefined;
  return {
    signal,
    score: async (recommender, instances, options) => {
      const { metrics } = await evaluate(recommender, instances, { resamples: 1, ...options });
      return Object.fromEntries(
        SELECTABLE.flatMap((name) => {
          const figure = metrics[name];
          return figure === undefined ? [] : [[name, figure.value]];
        }),
      );
    },
    onStage: (text) => {
      progress?.end();
      progress = undefined;
      stage = text;
    },
    onStep: ({ step, totalSteps, loss, examplesPerSecond, secondsLeft }) => {
      progress ??= new Progress(stage, totalSteps, 'steps');
      const rate = step < totalSteps ? (totalSteps - step) / secondsLeft : undefined;
      const extra = `loss ${loss.toFixed(3)} · ${examplesPerSecond.toFixed(1)} instances/s`;
      progress.update(step, { extra, rate, secondsLeft });
    },
    onProgress: ({ done, total, text, unit }) => {
      if (done === undefined || total === undefined) return;
      progress ??= new Progress(text, total, unit);
      progress.update(done);
    },
    onNotice: (text) => {
      progress?.end();
      note(text);
    },
    onValidation: ({ step, metrics, isBest }) => {
      progress?.end();
      const figures = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
      note(
        `  validation after step ${step}: ${figures.join(' · ')}${isBest ? ' (best so far)' : ''}`,
      );
    },
  };
}
