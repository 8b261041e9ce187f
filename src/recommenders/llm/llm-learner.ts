/**
 * Trains an adapter on windows of train users: loss on the target's title only.
 *
 * Curriculum of LLaRA, inherited by iLoRA: early prompts are text only, later ones carry item slots;
 * the probability of slots is the share of training done. It is drawn per instance from the seed, the
 * step and the example (the authors draw per batch, from a counter that restarts in every loader worker).
 */
import type { Dataset, Instance } from '../../data/index.js';
import type { ParameterGroup } from '../../optim/index.js';
import { Random } from '../../random/index.js';
import { indexSelect, Tensor, toDevice } from '../../tensor/index.js';
import { TEMPLATE_COUNT } from '../../text/index.js';
import { type Learner, type TrainingPosition, visit } from '../learner.js';
import type { AdapterRates } from './adapter.js';
import { cutEvenly, type LayoutRow } from './layout.js';
import type { LlmRecommender } from './llm-recommender.js';
import { trainingLoss, type Windows } from './training-loss.js';

export interface LlmLearnerOptions {
  rates: AdapterRates;
  /** `ramp`: text first, slots with growing probability; `hybrid`: slots always. */
  curriculum: 'ramp' | 'hybrid';
  /** Computes activations again for the gradients in place of keeping them: a third slower, far less memory. */
  recomputesActivations?: boolean;
}

export class LlmLearner implements Learner {
  constructor(
    readonly recommender: LlmRecommender,
    readonly dataset: Dataset,
    readonly options: LlmLearnerOptions,
  ) {}

  get name(): string {
    return this.recommender.name;
  }

  get examples(): number {
    return this.dataset.rows('train');
  }

  parameterGroups(): ParameterGroup[] {
    return this.recommender.parts.adapter?.parameterGroups(this.options.rates) ?? [];
  }

  state(): Map<string, Tensor> {
    return new Map(this.recommender.parts.adapter?.namedTensors() ?? []);
  }

  countTargets(examples: readonly number[], position: TrainingPosition): number {
    return examples.reduce(
      (total, example) => total + (this.row(example, position).row.continuations[0]?.length ?? 0),
      0,
    );
  }

  cut(examples: readonly number[], position: TrainingPosition, workers = 1): number[][] {
    const rows = examples.map((example) => this.row(example, position).row);
    return cutEvenly(rows, this.recommender.parts.batchTokens, workers).map((batch) =>
      batch.map((i) => examples[i] as number),
    );
  }

  loss(examples: readonly number[], position: TrainingPosition): Tensor {
    const { model } = this.recommender;
    return trainingLoss(model, this.windows(examples, position), {
      position,
      examples,
      recomputesActivations: this.options.recomputesActivations,
      gates_BE: this.#gatesOfBatch(examples, position),
    });
  }

  /** What of examples goes into the model: numbers only, so that another thread can take them. */
  windows(examples: readonly number[], position: TrainingPosition): Windows {
    const built = examples.map((example) => this.row(example, position));
    return { rows: built.map(({ row }) => row), histories: built.map(({ history }) => history) };
  }

  /**
   * The gates of some examples of a step where the gate has a batch norm: it sees the whole step, whichever part
   * goes through the model, so what it gives does not depend on the cut and its statistics move once per step.
   */
  #gatesOfBatch(examples: readonly number[], position: TrainingPosition): Tensor | undefined {
    const { batch } = position;
    const { recommender } = this;
    if (recommender.parts.adapter?.gate?.dependsOnBatch !== true) return undefined;
    const gates_BE = recommender.gates(
      batch.map((example) => this.#instance(example, position).history),
      { isTraining: true, movesStatistics: examples.includes(batch[0] as number) },
    ) as Tensor;
    const places = examples.map((example) => batch.indexOf(example));
    return indexSelect(
      gates_BE,
      0,
      toDevice(Tensor.from(places, undefined, 'int64'), gates_BE.device),
    );
  }

  #instance(example: number, { seed }: TrainingPosition): Instance {
    const { row, epoch } = visit(example, this);
    return this.dataset.instance('train', row, { seed, epoch });
  }

  /** The prompt of an example with its one continuation, the target's title. */
  row(example: number, position: TrainingPosition): { row: LayoutRow; history: readonly number[] } {
    const { seed, step, totalSteps } = position;
    const instance = this.#instance(example, position);
    const random = new Random(seed, 'curriculum', step, example);
    const wantsSlots = this.options.curriculum === 'hybrid' || random.uniform() < step / totalSteps;
    const template = random.int(TEMPLATE_COUNT);
    const prompt = this.recommender.prompt(instance, { template, wantsSlots });
    return {
      row: { prompt, continuations: [this.recommender.parts.prompts.answer(instance.target)] },
      history: instance.history,
    };
  }
}
