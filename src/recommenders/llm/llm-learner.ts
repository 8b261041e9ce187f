/**
 * Trains an adapter on windows of train users: loss on the target's title only.
 *
 * Curriculum of LLaRA, inherited by iLoRA: early prompts are text only, later ones carry item slots;
 * the probability of slots is the share of training done. It is drawn per instance from the seed, the
 * step and the example (the authors draw per batch, from a counter that restarts in every loader worker).
 */
import { type Dataset, type Instance, Random } from '../../data/index.js';
import { Recomputation } from '../../nn/index.js';
import type { ParameterGroup } from '../../optim/index.js';
import {
  add,
  detach,
  indexSelect,
  mul,
  neg,
  sub,
  sum,
  Tensor,
  toDevice,
} from '../../tensor/index.js';
import { TEMPLATE_COUNT } from '../../text/index.js';
import { dropoutStreams, type Learner, type TrainingPosition, visit } from '../learner.js';
import type { AdapterRates } from './adapter.js';
import { type LayoutRow, layOut } from './layout.js';
import { cutByTokens, type LlmRecommender } from './llm-recommender.js';

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

  cut(examples: readonly number[], position: TrainingPosition): number[][] {
    const rows = examples.map((example) => this.row(example, position).row);
    return cutByTokens(rows, this.recommender.parts.batchTokens).map((batch) =>
      batch.map((i) => examples[i] as number),
    );
  }

  loss(examples: readonly number[], position: TrainingPosition): Tensor {
    const { recommender } = this;
    const built = examples.map((example) => this.row(example, position));
    const histories = built.map(({ history }) => history);
    const forward = (recomputation?: Recomputation): Tensor => {
      const { logProbabilities_X } = recommender.logProbabilities(
        layOut(built.map(({ row }) => row)),
        histories,
        {
          dropout: dropoutStreams(position, examples, recommender.parts.base.device),
          gates_BE: this.#gates(examples, histories, position),
          recomputation,
        },
      );
      return neg(sum(logProbabilities_X));
    };
    return this.options.recomputesActivations === true ? this.#recomputed(forward) : forward();
  }

  /**
   * A loss whose gradients are known already: each parameter's stands as a factor before it, in a sum that adds
   * exactly zero to the loss.
   */
  #recomputed(forward: (recomputation: Recomputation) => Tensor): Tensor {
    const parameters = [...(this.recommender.parts.adapter?.namedParameters() ?? [])].map(
      ([, parameter]) => parameter,
    );
    const before = parameters.map((parameter) => parameter.grad);
    for (const parameter of parameters) parameter.setGrad();
    const recomputation = new Recomputation();
    const loss = forward(recomputation);
    loss.backward();
    recomputation.backward();
    const carriers = parameters.flatMap((parameter, i) => {
      const gradient = parameter.grad;
      parameter.setGrad(before[i]);
      return gradient === undefined ? [] : [sum(mul(gradient, parameter))];
    });
    return carriers.reduce(
      (total, carrier) => add(total, sub(carrier, detach(carrier))),
      detach(loss),
    );
  }

  /**
   * The gates of some examples of a step. A gate with a batch norm sees the whole step, whichever part goes
   * through the model: what it gives does not depend on the cut, and its statistics move once per step.
   */
  #gates(
    examples: readonly number[],
    histories: readonly (readonly number[])[],
    position: TrainingPosition,
  ): Tensor | undefined {
    const { batch } = position;
    const { recommender } = this;
    if (recommender.parts.adapter?.gate?.dependsOnBatch !== true)
      return recommender.gates(histories, { isTraining: true });
    const gates_BE = recommender.gates(
      batch.map((example) => this.#instance(example, position).history),
      { isTraining: true, movesStatistics: examples.includes(batch[0] as number) },
    ) as Tensor;
    const places = BigInt64Array.from(examples, (example) => BigInt(batch.indexOf(example)));
    return indexSelect(gates_BE, 0, toDevice(Tensor.from(places), gates_BE.device));
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
