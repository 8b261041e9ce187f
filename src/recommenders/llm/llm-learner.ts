/**
 * Trains an adapter on windows of train users: loss on the target's title only.
 *
 * Curriculum of LLaRA, inherited by iLoRA: early prompts are text only, later ones carry item slots;
 * the probability of slots is the share of training done. It is drawn per instance from the seed, the
 * step and the row (the authors draw per batch, from a counter that restarts in every loader worker).
 */
import { type Dataset, Random } from '../../data/index.js';
import type { ParameterGroup } from '../../optim/index.js';
import { Generator, neg, sum, type Tensor } from '../../tensor/index.js';
import { TEMPLATE_COUNT } from '../../text/index.js';
import type { Learner, TrainingPosition } from '../learner.js';
import type { AdapterRates } from './adapter.js';
import { type LayoutRow, layOut } from './layout.js';
import { cutByTokens, type LlmRecommender } from './llm-recommender.js';

export interface LlmLearnerOptions {
  rates: AdapterRates;
  /** `ramp`: text first, slots with growing probability; `hybrid`: slots always. */
  curriculum: 'ramp' | 'hybrid';
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
      (total, row) => total + (this.#row(row, position).row.continuations[0]?.length ?? 0),
      0,
    );
  }

  cut(examples: readonly number[], position: TrainingPosition): number[][] {
    const rows = examples.map((row) => this.#row(row, position).row);
    return cutByTokens(rows, this.recommender.parts.batchTokens).map((batch) =>
      batch.map((i) => examples[i] as number),
    );
  }

  loss(examples: readonly number[], position: TrainingPosition): Tensor {
    const built = examples.map((row) => this.#row(row, position));
    const layout = layOut(built.map(({ row }) => row));
    const seed = new Random(
      position.seed,
      'lora-dropout',
      position.step,
      examples[0] ?? 0,
    ).uint32();
    const dropout = new Generator(seed, this.recommender.parts.base.device);
    const histories = built.map(({ history }) => history);
    return neg(
      sum(
        this.recommender.logProbabilities(layout, histories, { dropout, isTraining: true })
          .logProbabilities_X,
      ),
    );
  }

  #row(
    row: number,
    { seed, step, totalSteps, epoch }: TrainingPosition,
  ): { row: LayoutRow; history: readonly number[] } {
    const instance = this.dataset.instance('train', row, { seed, epoch });
    const random = new Random(seed, 'curriculum', step, row);
    const wantsSlots = this.options.curriculum === 'hybrid' || random.uniform() < step / totalSteps;
    const template = random.int(TEMPLATE_COUNT);
    const prompt = this.recommender.prompt(instance, { template, wantsSlots });
    return {
      row: { prompt, continuations: [this.recommender.parts.prompts.answer(instance.target)] },
      history: instance.history,
    };
  }
}
