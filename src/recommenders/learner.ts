/**
 * What the training loop asks of a model: numbered examples, a loss, parameters.
 *
 * Everything random is a function of the seed, the step and the example. So a resumed run repeats what an uninterrupted
 * one would have done, and nothing depends on how examples are cut into parts.
 */

import type { ParameterGroup } from '../optim/index.js';
import { Random } from '../random/index.js';
import { type Device, RowStreams, type SharedTensor, type Tensor } from '../tensor/index.js';

/** Where training stands when a loss is asked for. */
export interface TrainingPosition {
  seed: number;
  /** Optimizer step, from 0. */
  step: number;
  totalSteps: number;
  /** All examples of the step, of which a part may go through the model at once. */
  batch: readonly number[];
}

/** A model that can be trained. */
export interface Learner {
  readonly name: string;
  /**
   * Rows to learn from. Row r in pass e is example r + e · examples: a step may straddle two passes, and what is
   * drawn for a row is another in each.
   */
  readonly examples: number;
  parameterGroups(): ParameterGroup[];
  /** Everything a checkpoint must hold, statistics of norms included, by key. */
  state(): Map<string, Tensor>;
  /** Number of predictions in the examples' loss; the step's loss is the sum over all divided by their number. */
  countTargets(examples: readonly number[], position: TrainingPosition): number;
  /** Cuts the examples of one step into parts that go through the model one after the other, or in several workers. */
  cut(examples: readonly number[], position: TrainingPosition, workers?: number): number[][];
  /** Sum of the losses of all predictions of the examples, with its gradient history. */
  loss(examples: readonly number[], position: TrainingPosition): Tensor;
  /** How other threads can take parts of a step; absent where they cannot. */
  readonly sharing?: Sharing;
}

/** What lets several threads share the parts of a step. */
export interface Sharing {
  /** Threads that pay and whose activations fit into so many bytes; at least 1. */
  workers(bytesLeft: number): number;
  /** Starts a thread that computes gradients with the learner's present parameters. */
  start(threads: number): GradientThread;
  /** Examples as plain data. */
  batch(examples: readonly number[], position: TrainingPosition): unknown;
  recomputesActivations: boolean;
}

/** A part of a training step, as plain data. */
export interface GradientTask {
  position: TrainingPosition;
  examples: readonly number[];
  /** The examples as the model takes them. */
  batch: unknown;
  /** What the sum of the losses is divided by. */
  targets: number;
  recomputesActivations: boolean;
}

/** A thread that computes gradients, one task at a time. */
export interface GradientThread {
  /** To be awaited once, before anything is asked. @returns where gradients will stand, by parameter */
  ready(): Promise<ReadonlyMap<string, SharedTensor>>;
  /** @returns the part of the mean loss, and the parameters that got a gradient */
  gradients(task: GradientTask): Promise<{ loss: number; keys: readonly string[] }>;
  end(): Promise<void>;
}

/** The row of an example, and the pass it is seen in. */
export function visit(example: number, { examples }: Learner): { row: number; epoch: number } {
  return { row: example % examples, epoch: Math.floor(example / examples) };
}

/** Sources of dropout masks: a stream per example, the same whatever shares its batch. */
export function dropoutStreams(
  { seed, step }: TrainingPosition,
  examples: readonly number[],
  device: Device,
): RowStreams {
  const keys = new BigInt64Array(examples.length);
  const halves = new Uint32Array(keys.buffer);
  for (const [b, example] of examples.entries()) {
    const random = new Random(seed, 'dropout', step, example);
    halves[2 * b] = random.uint32();
    halves[2 * b + 1] = random.uint32();
  }
  return new RowStreams(keys, device);
}
