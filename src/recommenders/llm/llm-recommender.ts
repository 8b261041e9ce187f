/**
 * ★ iLoRA as a recommender: history → representation → gate → this user's adapter → candidates' scores.
 *
 * The same code runs the frozen base alone, uniform LoRA with item slots (LLaRA's setting) and iLoRA;
 * they differ by their adapter only.
 */
import type { Instance } from '../../data/index.js';
import { generateGreedy } from '../../llama/index.js';
import type { GateUse } from '../../lora/index.js';
import { noGrad, scope, type Tensor } from '../../tensor/index.js';
import type { Prompt, PromptBuilder } from '../../text/index.js';
import type { Ranking, RankOptions, Recommender } from '../recommender.js';
import { turn } from '../turn.js';
import { AdaptedModel, type ForwardOptions, type ModelParts } from './adapted-model.js';
import { cutByTokens, type Layout, type LayoutRow, layOut } from './layout.js';
import type { PromptMemory } from './prompt-memory.js';

export interface LlmParts extends ModelParts {
  name: string;
  prompts: PromptBuilder;
  /** Tokens, padding included, that go through the model at once. */
  batchTokens: number;
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

  /** Scores are log-likelihoods of the candidates' titles after the prompt, in nats. */
  async rank(
    instances: readonly Instance[],
    { onProgress, signal }: RankOptions = {},
  ): Promise<Ranking[]> {
    const rows = instances.map((instance) => ({
      prompt: this.prompt(instance),
      continuations: instance.candidates.map((item) => this.parts.prompts.answer(item)),
    }));
    const rankings = new Array<Ranking>(instances.length);
    let done = 0;
    for (const batch of cutByTokens(rows, this.parts.batchTokens)) {
      await turn(signal);
      const ranked = noGrad(() =>
        scope(() =>
          this.#rankRows(
            batch.map((i) => rows[i] as LayoutRow),
            batch.map((i) => (instances[i] as Instance).history),
          ),
        ),
      );
      for (const [k, i] of batch.entries()) rankings[i] = ranked[k] as Ranking;
      done += batch.length;
      onProgress?.(done);
    }
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
        const [ranking] = this.#rankRows([{ prompt, continuations }], [instance.history], {
          cache,
          ...(gates_BE && { gates_BE }),
        }) as [Ranking];
        memory.remember(cache, prompt, gates);
        return { ...ranking, knownTokens };
      }),
    );
  }

  /** Rankings of rows in one pass; the caller's scope frees what they take. */
  #rankRows(
    rows: readonly LayoutRow[],
    histories: readonly (readonly number[])[],
    options?: ForwardOptions,
  ): Ranking[] {
    const layout = layOut(rows);
    const { logProbabilities_X, gates_BE } = this.logProbabilities(layout, histories, options);
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

  /** The greedy answer to each instance's prompt, first line only. */
  async generate(
    instances: readonly Instance[],
    { onProgress, signal, maxNewTokens = 64 }: RankOptions & { maxNewTokens?: number } = {},
  ): Promise<string[]> {
    const { base, prompts } = this.parts;
    const answers: string[] = [];
    for (const instance of instances) {
      await turn(signal);
      const tokens = noGrad(() =>
        scope(() => {
          const layout = layOut([{ prompt: this.prompt(instance), continuations: [[0]] }]);
          const gates_BE = this.gates([instance.history]);
          return generateGreedy(base, this.model.embed(layout), {
            maxNewTokens,
            isEnd: (token) => prompts.isEnd(token),
            pass: gates_BE === undefined ? {} : { gates_BE },
          });
        }),
      );
      answers.push(prompts.read(tokens));
      onProgress?.(answers.length);
    }
    return answers;
  }
}
