/**
 * What the training loop asks of a model: numbered examples, a loss, parameters.
 *
 * Everything random is a function of the seed and the position, so that a resumed run repeats what an
 * uninterrupted one would have done. Without dropout nothing depends on how examples are cut into parts;
 * masks are drawn per part.
 */
import type { ParameterGroup } from '../optim/index.js';
import type { Tensor } from '../tensor/index.js';

/** Where training stands when a loss is asked for. */
export interface TrainingPosition {
  seed: number;
  /** Optimizer step, from 0. */
  step: number;
  totalSteps: number;
  /** Pass over the examples, from 0. */
  epoch: number;
}

/** A model that can be trained. */
export interface Learner {
  readonly name: string;
  /** Examples are 0 ... examples - 1. */
  readonly examples: number;
  parameterGroups(): ParameterGroup[];
  /** Everything a checkpoint must hold, statistics of norms included, by key. */
  state(): Map<string, Tensor>;
  /** Number of predictions in the examples' loss; the step's loss is the sum over all divided by their number. */
  countTargets(examples: readonly number[], position: TrainingPosition): number;
  /** Cuts the examples of one step into parts that go through the model one after the other. */
  cut(examples: readonly number[], position: TrainingPosition): number[][];
  /** Sum of the losses of all predictions of the examples, with its gradient history. */
  loss(examples: readonly number[], position: TrainingPosition): Tensor;
}
