/**
 * ★ The paper's objective: the likelihood of an item's title after a prompt of history and candidates.
 *
 * Learning: -log p of the target's title, newline included, on windows of train users. Scoring: log p of every
 * candidate's title, all after one pass over the prompt.
 *
 * Curriculum of LLaRA, inherited by iLoRA: early prompts are text only, later ones carry item slots; the
 * probability of slots is the share of training done. It is drawn per instance from the seed, the step and the
 * example (the authors draw per batch, from a counter that restarts in every loader worker).
 */
import type { CandidateQuery, Dataset, Instance } from '../../../data/index.js';
import { Recomputation } from '../../../nn/index.js';
import { Random } from '../../../random/index.js';
import { add, detach, mul, neg, sub, sum, type Tensor } from '../../../tensor/index.js';
import type { Prompt, PromptBuilder } from '../../../text/index.js';
import type { Scored } from '../../capability.js';
import { dropoutStreams, type TrainingPosition } from '../../learner.js';
import { AdaptedModel, type ForwardOptions } from '../adapted-model.js';
import { cutByTokens, cutEvenly, type LayoutRow, layOut } from '../layout.js';
import type { Examples, LossOptions, Objective } from './objective.js';

/** Prompts with the titles to predict after them. */
export interface TitleRows {
  rows: readonly LayoutRow[];
  /** One per row, for the gate. */
  histories: readonly (readonly number[])[];
}

/** Makes prompts of queries. */
export interface Prompting {
  readonly prompts: PromptBuilder;
  /** Tokens, padding included, that go through the model at once. */
  readonly batchTokens: number;
  /** The prompt of a query, with slots where the model has them and `wantsSlots` agrees. */
  prompt(query: CandidateQuery, options?: { wording?: number; wantsSlots?: boolean }): Prompt;
}

/** Queries cut into tasks. */
export interface TitleTasks {
  tasks: readonly TitleRows[];
  /** The queries that each task scores, by number, in the task's order. */
  queries: readonly (readonly number[])[];
}

export const titleLikelihood: Objective<AdaptedModel, TitleRows, TitleRows> = {
  name: 'title-likelihood',
  model: (parts) => new AdaptedModel(parts),
  loss: titleLoss,
  score: scoreTitles,
};

/** Queries as tasks of batches of tokens. */
export function titleTasks(queries: readonly CandidateQuery[], prompting: Prompting): TitleTasks {
  const rows = queries.map((query) => titleRow(query, prompting));
  const batches = cutByTokens(rows, prompting.batchTokens);
  return {
    queries: batches,
    tasks: batches.map((batch) => ({
      rows: batch.map((i) => rows[i] as LayoutRow),
      histories: batch.map((i) => (queries[i] as CandidateQuery).history),
    })),
  };
}

/** The prompt of a query with all candidates' titles after it. */
export function titleRow(query: CandidateQuery, prompting: Prompting): LayoutRow {
  return {
    prompt: prompting.prompt(query),
    continuations: query.candidates.map((item) => prompting.prompts.answer(item)),
  };
}

/** Windows of train users with their one continuation, the target's title. */
export class TitleExamples implements Examples<TitleRows> {
  constructor(
    readonly dataset: Dataset,
    readonly prompting: Prompting,
    readonly options: { curriculum: 'ramp' | 'hybrid' },
  ) {}

  get count(): number {
    return this.dataset.rows('train');
  }

  history(example: number, position: TrainingPosition): readonly number[] {
    return this.#instance(example, position).history;
  }

  countTargets(examples: readonly number[], position: TrainingPosition): number {
    return examples.reduce(
      (total, example) => total + (this.#row(example, position).row.continuations[0]?.length ?? 0),
      0,
    );
  }

  cut(examples: readonly number[], position: TrainingPosition, workers: number): number[][] {
    const rows = examples.map((example) => this.#row(example, position).row);
    return cutEvenly(rows, this.prompting.batchTokens, workers).map((batch) =>
      batch.map((i) => examples[i] as number),
    );
  }

  batch(examples: readonly number[], position: TrainingPosition): TitleRows {
    const built = examples.map((example) => this.#row(example, position));
    return { rows: built.map(({ row }) => row), histories: built.map(({ history }) => history) };
  }

  #row(
    example: number,
    position: TrainingPosition,
  ): { row: LayoutRow; history: readonly number[] } {
    const { seed, step, totalSteps } = position;
    const instance = this.#instance(example, position);
    const random = new Random(seed, 'curriculum', step, example);
    const wantsSlots = this.options.curriculum === 'hybrid' || random.uniform() < step / totalSteps;
    const wording = random.int(this.prompting.prompts.wordings);
    const prompt = this.prompting.prompt(instance, { wording, wantsSlots });
    return {
      row: { prompt, continuations: [this.prompting.prompts.answer(instance.target)] },
      history: instance.history,
    };
  }

  #instance(example: number, { seed }: TrainingPosition): Instance {
    const { count } = this;
    const epoch = Math.floor(example / count);
    return this.dataset.instance('train', example % count, { draw: { seed, epoch } });
  }
}

/** Sum over all tokens of all targets, in nats, with its gradient history. */
export function titleLoss(
  model: AdaptedModel,
  { rows, histories }: TitleRows,
  { position, examples, recomputesActivations = false, gates_BE }: LossOptions,
): Tensor {
  const { adapter, base } = model.parts;
  const forward = (recomputation?: Recomputation): Tensor => {
    const { logProbabilities_X } = model.logProbabilities(layOut(rows), histories, {
      dropout: dropoutStreams(position, examples, base.device),
      gates_BE: gates_BE ?? model.gates(histories, { isTraining: true }),
      recomputation,
    });
    return neg(sum(logProbabilities_X));
  };
  if (!recomputesActivations) return forward();
  return recomputed(
    [...(adapter?.namedParameters() ?? [])].map(([, parameter]) => parameter),
    forward,
  );
}

/** Log-likelihoods of the titles after their prompts, in nats. */
export function scoreTitles(
  model: AdaptedModel,
  { rows, histories }: TitleRows,
  options?: ForwardOptions,
): Scored[] {
  const layout = layOut(rows);
  const { logProbabilities_X, gates_BE } = model.logProbabilities(layout, histories, options);
  const logs = logProbabilities_X.toNumbers();
  const scores = rows.map(({ continuations }) => new Array<number>(continuations.length).fill(0));
  for (const [x, { row, continuation }] of layout.predictions.entries()) {
    const rowScores = scores[row] as number[];
    rowScores[continuation] = (rowScores[continuation] as number) + (logs[x] as number);
  }
  const gates = gates_BE?.toNumbers();
  const E = gates === undefined ? 0 : gates.length / rows.length;
  return scores.map((own, b) => ({
    scores: own,
    ...(gates && { gates: gates.slice(b * E, (b + 1) * E) }),
  }));
}

/**
 * A loss whose gradients are known already: each parameter's stands as a factor before it, in a sum that adds
 * exactly zero to the loss.
 */
function recomputed(
  parameters: readonly Tensor[],
  forward: (recomputation: Recomputation) => Tensor,
): Tensor {
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
