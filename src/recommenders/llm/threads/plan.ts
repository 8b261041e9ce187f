/**
 * What goes between the main thread and threads that compute with the same model.
 *
 * Their base is the main thread's, not a copy; their adapter is a copy. What goes in are token ids and histories,
 * what comes out are numbers, or gradients in tensors that both threads hold.
 */

import { type SharedTensor, share, type Tensor } from '../../../tensor/index.js';
import type { ModelConfig } from '../../../weights/index.js';
import type { TrainingPosition } from '../../learner.js';
import type { Ranking } from '../../recommender.js';
import type { SASRecOptions } from '../../sasrec/sasrec.js';
import type { ModelParts } from '../adapted-model.js';
import type { AdapterOptions } from '../adapter.js';
import type { GenerateTask, RankTask } from '../answer.js';
import type { Windows } from '../training-loss.js';

/** Tensors of another thread by key. */
export type SharedTensors = ReadonlyMap<string, SharedTensor>;

/** All that a thread's model is made from. */
export interface ThreadPlan {
  /** `gradients`: the adapter takes the main thread's values at each step; `answers`: once. */
  purpose: 'gradients' | 'answers';
  base: { config: ModelConfig; tensors: SharedTensors };
  recommender?: { options: SASRecOptions; tensors: SharedTensors };
  adapter?: { options: AdapterOptions; recommenderWidth: number; tensors: SharedTensors };
  /** Inside an operator. */
  threads: number;
}

/** A part of a training step. */
export interface GradientTask {
  kind: 'gradients';
  position: TrainingPosition;
  examples: readonly number[];
  windows: Windows;
  /** What the sum of the losses is divided by. */
  targets: number;
  recomputesActivations: boolean;
}

export type ThreadTask = GradientTask | RankTask | GenerateTask;

export type ThreadAnswer =
  /** Where gradients will stand, by key; none where the purpose is answers. */
  | { kind: 'ready'; gradients: SharedTensors }
  /** The part of the mean loss, and the keys that got a gradient. */
  | { kind: 'gradients'; loss: number; keys: readonly string[] }
  | { kind: 'answer'; result: Ranking[] | number[] }
  | { kind: 'failed'; code: string; message: string };

/** @param threads inside an operator, of each thread */
export function planOf(
  { base, adapter, recommender }: ModelParts,
  { purpose, threads }: Pick<ThreadPlan, 'purpose' | 'threads'>,
): ThreadPlan {
  const shareAll = (tensors: Iterable<[string, Tensor]>): SharedTensors =>
    new Map([...tensors].map(([key, tensor]) => [key, share(tensor)]));
  return {
    purpose,
    base: {
      config: base.config,
      tensors: shareAll(adapter?.baseTensors() ?? base.namedTensors()),
    },
    ...(recommender && {
      recommender: {
        options: recommender.options,
        tensors: shareAll(recommender.namedTensors()),
      },
    }),
    ...(adapter && {
      adapter: {
        options: adapter.options,
        recommenderWidth: recommender?.options.width ?? 1,
        tensors: shareAll(adapter.namedTensors()),
      },
    }),
    threads,
  };
}
