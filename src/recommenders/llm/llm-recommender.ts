/**
 * ★ iLoRA as a recommender: history → representation → gate → this user's adapter → candidates' scores.
 *
 * The same code runs the frozen base alone, uniform LoRA with item slots (LLaRA's setting) and iLoRA;
 * they differ by their adapter only.
 */
import type { Instance } from '../../data/index.js';
import type { GateUse } from '../../lora/index.js';
import { engineInfo, noGrad, scope, type Tensor } from '../../tensor/index.js';
import type { Prompt, PromptBuilder } from '../../text/index.js';
import type { Ranking, RankOptions, Recommender } from '../recommender.js';
import { turn } from '../turn.js';
import { AdaptedModel, type ForwardOptions, type ModelParts } from './adapted-model.js';
import { answerTo, type GenerateTask, type RankTask, rankRows } from './answer.js';
import { cutByTokens, type Layout, type LayoutRow } from './layout.js';
import type { PromptMemory } from './prompt-memory.js';
import { answerInThreads, answerThreads } from './threads/answers.js';

export interface LlmParts extends ModelParts {
  name: string;
  prompts: PromptBuilder;
  /** Tokens, padding included, that go through the model at once. */
  batchTokens: number;
}

export interface ThreadOptions {
  /** Threads that share the work; 1 for this one alone. By default as many as pay. */
  workers?: number;
}

export class LlmRecommender implements Recommender {
  readonly parts: LlmParts;
  readonly model: AdaptedModel;
  readonly trainableParameters: number;

  constructor(parts: LlmParts) {
    this.parts = parts;
    this.model = new AdaptedModel(parts);
    this.trainableParameters = parts.adapter?.trainableParameters ?? 0;
  }

  get name(): string {
    return this.parts.name;
  }

  /** The prompt of an instance, with slots where the adapter has a projector and `wantsSlots` agrees. */
  prompt({ history, candidates }: Instance, { template = 0, wantsSlots = true } = {}): Prompt {
    const hasSlots = wantsSlots && this.parts.adapter?.projector !== undefined;
    return this.parts.prompts.build({ history, candidates, hasSlots, template });
  }

  /** `AdaptedModel.gates` */
  gates(histories: readonly (readonly number[])[], use?: GateUse): Tensor | undefined {
    return this.model.gates(histories, use);
  }

  /** `AdaptedModel.logProbabilities` */
  logProbabilities(
    layout: Layout,
    histories: readonly (readonly number[])[],
    options?: ForwardOptions,
  ): { logProbabilities_X: Tensor; gates_BE?: Tensor } {
    return this.model.logProbabilities(layout, histories, options);
  }

  /**
   * Scores are log-likelihoods of the candidates' titles after the prompt, in nats.
   * @param workers threads that share the instances: one per core on a CPU, where the base and the work are large enough
   */
  async rank(
    instances: readonly Instance[],
    { onProgress, ...options }: RankOptions & ThreadOptions = {},
  ): Promise<Ranking[]> {
    const { prompts, batchTokens } = this.parts;
    const rows = instances.map((instance) => ({
      prompt: this.prompt(instance),
      continuations: instance.candidates.map((item) => prompts.answer(item)),
    }));
    const batches = cutByTokens(rows, batchTokens);
    const tasks = batches.map(
      (batch): RankTask => ({
        kind: 'rank',
        rows: batch.map((i) => rows[i] as LayoutRow),
        histories: batch.map((i) => (instances[i] as Instance).history),
      }),
    );
    const rankings = new Array<Ranking>(instances.length);
    let done = 0;
    await this.#answer(tasks, options, (task, answer) => {
      const batch = batches[task] as number[];
      for (const [k, i] of batch.entries()) rankings[i] = answer[k] as Ranking;
      done += batch.length;
      onProgress?.(done);
    });
    return rankings;
  }

  /**
   * `rank` of a user who may have been here before: what `memory` holds of the prompt is not read again, and the
   * memory is of this prompt afterwards.
   * @returns the ranking, and how many tokens were known
   */
  rankReturning(instance: Instance, memory: PromptMemory): Ranking & { knownTokens: number } {
    const prompt = this.prompt(instance);
    const continuations = instance.candidates.map((item) => this.parts.prompts.answer(item));
    return noGrad(() =>
      scope(() => {
        const gates_BE = this.gates([instance.history]);
        const gates = gates_BE?.toNumbers() ?? [];
        const knownTokens = memory.known(prompt, gates);
        const cache = memory.recall(knownTokens);
        const task = { rows: [{ prompt, continuations }], histories: [instance.history] };
        const [ranking] = rankRows(this.model, task, {
          cache,
          ...(gates_BE && { gates_BE }),
        }) as [Ranking];
        memory.remember(cache, prompt, gates);
        return { ...ranking, knownTokens };
      }),
    );
  }

  /**
   * The greedy answer to each instance's prompt, first line only.
   * @param workers as in `rank`
   */
  async generate(
    instances: readonly Instance[],
    {
      onProgress,
      maxNewTokens = 64,
      ...options
    }: RankOptions & ThreadOptions & { maxNewTokens?: number } = {},
  ): Promise<string[]> {
    const { prompts } = this.parts;
    const tasks = instances.map(
      (instance): GenerateTask => ({
        kind: 'generate',
        prompt: this.prompt(instance),
        history: instance.history,
        maxNewTokens,
        end: prompts.end,
      }),
    );
    const answers = new Array<string>(instances.length);
    let done = 0;
    await this.#answer(tasks, options, (task, answer) => {
      answers[task] = prompts.read(answer as number[]);
      onProgress?.(++done);
    });
    return answers;
  }

  /** Answers to tasks, in this thread or in several. */
  async #answer(
    tasks: readonly (RankTask | GenerateTask)[],
    { signal, workers = answerThreads(this.parts, tasks.length) }: RankOptions & ThreadOptions,
    onAnswer: (task: number, answer: Ranking[] | number[]) => void,
  ): Promise<void> {
    if (workers > 1) {
      const threads = Math.max(1, Math.floor(engineInfo().threads / workers));
      return answerInThreads(this.parts, tasks, { count: workers, threads, signal }, onAnswer);
    }
    for (const [i, task] of tasks.entries()) {
      await turn(signal);
      onAnswer(i, answerTo(this.model, task));
    }
  }
}
