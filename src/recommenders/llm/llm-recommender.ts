/**
 * ★ iLoRA as a recommender: history → representation → gate → this user's adapter → candidates' scores.
 *
 * The same code runs the frozen base alone, uniform LoRA with item slots (LLaRA's setting) and iLoRA;
 * they differ by their adapter only.
 */
import type { CandidateQuery } from '../../data/index.js';
import { engineInfo, noGrad, scope } from '../../tensor/index.js';
import type { Prompt, PromptBuilder } from '../../text/index.js';
import type {
  Recommender,
  Scored,
  TextGenerator,
  TitleReader,
  WorkOptions,
} from '../capability.js';
import { turn } from '../turn.js';
import { AdaptedModel } from './adapted-model.js';
import { objectiveNamed } from './objectives/index.js';
import {
  type Prompting,
  scoreTitles,
  titleRow,
  titleTasks,
} from './objectives/title-likelihood.js';
import type { PromptingParts } from './parts.js';
import type { PromptMemory } from './prompt-memory.js';
import { RowPrompts } from './row-prompts.js';
import { type AnswerTask, answerTo } from './threads/answer.js';
import { answerInThreads, answerThreads } from './threads/answers.js';

export interface ThreadOptions {
  /** Threads that share the work; 1 for this one alone. By default as many as pay. */
  workers?: number;
}

export class LlmRecommender implements Recommender, TextGenerator, TitleReader, Prompting {
  readonly parts: PromptingParts;
  readonly model: AdaptedModel;
  readonly trainableParameters: number;

  constructor(parts: PromptingParts) {
    this.parts = parts;
    this.model = new AdaptedModel(parts);
    this.trainableParameters = parts.adapter?.trainableParameters ?? 0;
  }

  get name(): string {
    return this.parts.name;
  }

  get prompts(): PromptBuilder {
    return this.parts.prompts;
  }

  get batchTokens(): number {
    return this.parts.batchTokens;
  }

  prompt({ history, candidates }: CandidateQuery, { wording = 0, wantsSlots = true } = {}): Prompt {
    const hasSlots = wantsSlots && this.parts.adapter?.projector !== undefined;
    const { maxHistory = history.length } = this.parts;
    const shown = maxHistory === 0 ? [] : history.slice(-maxHistory);
    return this.prompts.build({ history: shown, candidates, hasSlots, wording });
  }

  /**
   * Log-likelihoods of the candidates' titles after the prompt, in nats.
   * @param workers threads that share the queries: one per core on a CPU, where base and work are large enough
   */
  async score(
    queries: readonly CandidateQuery[],
    { onProgress, ...options }: WorkOptions & ThreadOptions = {},
  ): Promise<Scored[]> {
    const { tasks, queries: batches } = titleTasks(queries, this);
    const scored = new Array<Scored>(queries.length);
    let done = 0;
    await this.#answer(
      tasks.map((task) => ({ kind: 'score', task })),
      options,
      (task, answer) => {
        const batch = batches[task] as readonly number[];
        for (const [k, i] of batch.entries()) scored[i] = answer[k] as Scored;
        done += batch.length;
        onProgress?.(done);
      },
    );
    return scored;
  }

  /**
   * `score` of a user who may have been here before: what `memory` holds of the prompt is not read again, and the
   * memory is of this prompt afterwards.
   * @returns the scores, and how many tokens were known
   */
  scoreReturning(query: CandidateQuery, memory: PromptMemory): Scored & { knownTokens: number } {
    const row = titleRow(query, this);
    return noGrad(() =>
      scope(() => {
        const gates_BE = this.model.gates([query.history]);
        const gates = gates_BE?.toNumbers() ?? [];
        const knownTokens = memory.known(row.prompt, gates);
        const cache = memory.recall(knownTokens);
        const task = { rows: [row], histories: [query.history] };
        const [scored] = scoreTitles(this.model, task, {
          cache,
          ...(gates_BE && { gates_BE }),
        }) as [Scored];
        memory.remember(cache, row.prompt, gates);
        return { ...scored, knownTokens };
      }),
    );
  }

  /**
   * The greedy answer to each query's prompt, first line only.
   * @param workers as in `score`
   */
  async generate(
    queries: readonly CandidateQuery[],
    {
      onProgress,
      maxNewTokens = 64,
      ...options
    }: WorkOptions & ThreadOptions & { maxNewTokens?: number } = {},
  ): Promise<string[]> {
    const { prompts } = this;
    const tasks = queries.map(
      (query): AnswerTask => ({
        kind: 'generate',
        task: {
          prompt: this.prompt(query),
          history: query.history,
          maxNewTokens,
          end: prompts.end,
        },
      }),
    );
    const answers = new Array<string>(queries.length);
    let done = 0;
    await this.#answer(tasks, options, (task, answer) => {
      answers[task] = prompts.read(answer as number[]);
      onProgress?.(++done);
    });
    return answers;
  }

  titleOf(item: number): string {
    return this.prompts.titleOf(item);
  }

  withTitles(titles: ReadonlyMap<number, string>): LlmRecommender {
    return new LlmRecommender({ ...this.parts, prompts: new RowPrompts(this.prompts, titles) });
  }

  /** Answers to tasks, in this thread or in several. */
  async #answer(
    tasks: readonly AnswerTask[],
    { signal, workers = answerThreads(this.parts, tasks.length) }: WorkOptions & ThreadOptions,
    onAnswer: (task: number, answer: Scored[] | number[]) => void,
  ): Promise<void> {
    if (workers > 1) {
      const threads = Math.max(1, Math.floor(engineInfo().threads / workers));
      return answerInThreads(this.parts, tasks, { count: workers, threads, signal }, onAnswer);
    }
    const objective = objectiveNamed(this.parts.objective);
    for (const [i, task] of tasks.entries()) {
      await turn(signal);
      onAnswer(i, answerTo(this.model, objective, task));
    }
  }
}
