/**
 * What a language-model method learns from and scores by: one file of this folder each.
 *
 * An objective has two halves. In the main thread its examples and its recommender turn what is asked into batches and
 * tasks, which are plain data. In any thread it turns those into a loss or into scores.
 */
import type { Tensor } from '../../../tensor/index.js';
import type { Scored } from '../../capability.js';
import type { TrainingPosition } from '../../learner.js';
import type { ModelParts } from '../adapted-model.js';

/** How a loss is asked for. */
export interface LossOptions {
  position: TrainingPosition;
  /** Number of each example of the batch; dropout is drawn for it. */
  examples: readonly number[];
  /** Computes activations again for the gradients in place of keeping them: a third slower, far less memory. */
  recomputesActivations?: boolean;
  /** Weights of the experts per example, [B, E]; by default those that the histories have in training. */
  gates_BE?: Tensor;
}

/** Training examples of an objective over a dataset. */
export interface Examples<Batch = unknown> {
  /** Rows to learn from; row r in pass e is example r + e · count. */
  readonly count: number;
  /** History of an example, for a gate that looks at the whole step. */
  history(example: number, position: TrainingPosition): readonly number[];
  /** Number of predictions in the examples' loss. */
  countTargets(examples: readonly number[], position: TrainingPosition): number;
  /** Cuts the examples of one step into parts, for one thread or several. */
  cut(examples: readonly number[], position: TrainingPosition, workers: number): number[][];
  /** Examples as the model takes them. */
  batch(examples: readonly number[], position: TrainingPosition): Batch;
}

/** The half of an objective that any thread can do. */
export interface Objective<Model = unknown, Batch = unknown, Task = unknown> {
  readonly name: string;
  /** What computes. */
  model(parts: ModelParts): Model;
  /** Sum of the losses of all predictions of a batch, in nats, with its gradient history. */
  loss(model: Model, batch: Batch, options: LossOptions): Tensor;
  /** Scores of a task's queries; the caller's scope frees what they take. */
  score(model: Model, task: Task): Scored[];
}
