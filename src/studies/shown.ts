/**
 * How a study tells of its progress; whoever runs it decides where that goes.
 */
import type { Instance } from '../data/index.js';
import { type Evaluation, evaluate, evaluateGenerated } from '../evaluation/index.js';
import type { Model, Recommender } from '../recommenders/index.js';
import type { RunHooks } from '../training/index.js';

/** The progress of one piece of work. */
export interface ShownProgress {
  update(done: number): void;
  end(): void;
}

export interface StudyHooks {
  signal: AbortSignal;
  /** A line of explanation. */
  note(text: string): void;
  /** Work of `total` units begins. */
  progress(label: string, total: number, unit: string): ShownProgress;
  /** Of the training runs. */
  run: RunHooks;
}

type Showing = Pick<StudyHooks, 'progress'> & { signal?: AbortSignal };

/** Evaluates with a progress line; over the whole catalog where a size is given. */
export async function evaluateShown(
  recommender: Recommender,
  instances: readonly Instance[],
  { progress, signal }: Showing,
  catalogSize?: number,
): Promise<Evaluation> {
  const shown = progress(`evaluate ${recommender.name}`, instances.length, 'rows');
  try {
    return await evaluate(recommender, instances, {
      onProgress: (done) => shown.update(done),
      ...(catalogSize !== undefined && { catalogSize }),
      ...(signal && { signal }),
    });
  } finally {
    shown.end();
  }
}

/** Generates an answer per row and matches it to titles. */
export async function generateShown(
  { recommender, generator }: { recommender: Recommender; generator: Required<Model>['generator'] },
  instances: readonly Instance[],
  { progress, signal }: Showing,
): Promise<Evaluation> {
  const shown = progress(`generate ${recommender.name}`, instances.length, 'rows');
  const started = performance.now();
  try {
    const texts = await generator.generate(instances, {
      onProgress: (done) => shown.update(done),
      ...(signal && { signal }),
    });
    return evaluateGenerated({
      method: `${recommender.name} (generated)`,
      trainableParameters: recommender.trainableParameters,
      instances,
      texts,
      titleOf: (item) => generator.titleOf(item),
      seconds: (performance.now() - started) / 1000,
    });
  } finally {
    shown.end();
  }
}
