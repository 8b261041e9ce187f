/**
 * Trains an adapter by the objective of its method.
 */
import type { Dataset } from '../../data/index.js';
import { internal } from '../../errors/index.js';
import type { ParameterGroup } from '../../optim/index.js';
import { indexSelect, Tensor, toDevice } from '../../tensor/index.js';
import type { Learner, Sharing, TrainingPosition } from '../learner.js';
import { AdaptedModel } from './adapted-model.js';
import type { Adapter, AdapterRates } from './adapter.js';
import type { LlmRecommender } from './llm-recommender.js';
import { type Examples, type Objective, objectiveNamed } from './objectives/index.js';
import { TitleExamples } from './objectives/title-likelihood.js';
import type { LlmParts } from './parts.js';
import { affordableWorkers, isWorthThreads } from './threads/answers.js';
import { ModelThread } from './threads/model-thread.js';
import { planOf } from './threads/plan.js';

export interface AdapterLearnerOptions {
  rates: AdapterRates;
  /** Computes activations again for the gradients in place of keeping them: a third slower, far less memory. */
  recomputesActivations?: boolean;
}

/** What is trained: the parts of a recommender, and what computes with them. */
export interface Trained {
  readonly parts: LlmParts;
  readonly model: unknown;
}

/** A learner over any objective's examples. */
export class AdapterLearner<R extends Trained = Trained> implements Learner {
  readonly #objective: Objective;
  readonly #examples: Examples;

  constructor(
    readonly recommender: R,
    examples: Examples,
    readonly options: AdapterLearnerOptions,
  ) {
    this.#objective = objectiveNamed(recommender.parts.objective);
    this.#examples = examples;
  }

  get name(): string {
    return this.recommender.parts.name;
  }

  get examples(): number {
    return this.#examples.count;
  }

  get #adapter(): Adapter {
    const { adapter } = this.recommender.parts;
    if (adapter === undefined) throw internal('there is no adapter to train');
    return adapter;
  }

  parameterGroups(): ParameterGroup[] {
    return this.#adapter.parameterGroups(this.options.rates);
  }

  state(): Map<string, Tensor> {
    return new Map(this.#adapter.namedTensors());
  }

  countTargets(examples: readonly number[], position: TrainingPosition): number {
    return this.#examples.countTargets(examples, position);
  }

  cut(examples: readonly number[], position: TrainingPosition, workers = 1): number[][] {
    return this.#examples.cut(examples, position, workers);
  }

  loss(examples: readonly number[], position: TrainingPosition): Tensor {
    const { model } = this.recommender;
    return this.#objective.loss(model, this.batch(examples, position), {
      position,
      examples,
      recomputesActivations: this.options.recomputesActivations,
      gates_BE: this.#gatesOfBatch(examples, position),
    });
  }

  /** Examples as plain data, as the model takes them. */
  batch(examples: readonly number[], position: TrainingPosition): unknown {
    return this.#examples.batch(examples, position);
  }

  /** Threads share a step on a CPU, unless the gate looks at the whole step. */
  get sharing(): Sharing | undefined {
    const { parts } = this.recommender;
    const { base, batchTokens } = parts;
    if (base.device !== 'cpu' || this.#adapter.gate?.dependsOnBatch === true) return undefined;
    return {
      workers: (bytesLeft) =>
        isWorthThreads(base) ? affordableWorkers(base, batchTokens, bytesLeft) : 1,
      start: (threads) => new ModelThread(planOf(parts, { purpose: 'gradients', threads })),
      batch: (examples, position) => this.batch(examples, position),
      recomputesActivations: this.options.recomputesActivations === true,
    };
  }

  /**
   * The gates of some examples of a step, where the gate has a batch norm. It always sees the whole step, whichever
   * part goes through the model. So what it gives does not depend on the cut, and its statistics move once per step.
   */
  #gatesOfBatch(examples: readonly number[], position: TrainingPosition): Tensor | undefined {
    const { batch } = position;
    if (this.#adapter.gate?.dependsOnBatch !== true) return undefined;
    const { model } = this.recommender;
    if (!(model instanceof AdaptedModel))
      throw internal('only a model that prompts has a gate over the whole step');
    const gates_BE = model.gates(
      batch.map((example) => this.#examples.history(example, position)),
      { isTraining: true, movesStatistics: examples.includes(batch[0] as number) },
    ) as Tensor;
    const places = examples.map((example) => batch.indexOf(example));
    return indexSelect(
      gates_BE,
      0,
      toDevice(Tensor.from(places, undefined, 'int64'), gates_BE.device),
    );
  }
}

export interface LlmLearnerOptions extends AdapterLearnerOptions {
  /** `ramp`: text first, slots with growing probability; `hybrid`: slots always. */
  curriculum: 'ramp' | 'hybrid';
}

/** Learns titles after prompts, the paper's objective. */
export class LlmLearner extends AdapterLearner<LlmRecommender> {
  constructor(
    recommender: LlmRecommender,
    readonly dataset: Dataset,
    override readonly options: LlmLearnerOptions,
  ) {
    super(recommender, new TitleExamples(dataset, recommender, options), options);
  }
}
