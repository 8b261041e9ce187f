/**
 * How training shows itself on the terminal, and how it is scored on validation.
 */
import { evaluate } from '../evaluation/index.js';
import type { RunHooks } from '../training/index.js';
import { note, Progress } from './terminal.js';

/** Hooks of a training run for the command line. */
export function trainHooks(signal: AbortSignal): RunHooks {
  let stage = '';
  let progress: Progress | undefined;
  return {
    signal,
    score: async (recommender, instances, abort) => {
      const { metrics } = await evaluate(recommender, instances, { resamples: 1, signal: abort });
      const { hr1, ndcg10, mrr } = metrics;
      return { hr_at_1: hr1?.value ?? 0, ndcg_at_10: ndcg10?.value ?? 0, mrr: mrr?.value ?? 0 };
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
