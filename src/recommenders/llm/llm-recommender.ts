/**
 * ★ iLoRA as a recommender: history → representation → gate → this user's adapter → candidates' scores.
 *
 * The same code runs the frozen base alone, uniform LoRA with item slots (LLaRA's setting) and iLoRA;
 * they differ by their adapter only.
 */
import type { Instance } from '../../data/index.js';
import { internal } from '../../errors/index.js';
import { generateGreedy, type KvCache, type Llama } from '../../llama/index.js';
import type { GateUse } from '../../lora/index.js';
import type { Pass, Recomputation } from '../../nn/index.js';
import {
  indexCopy,
  indexSelect,
  logSoftmax,
  narrow,
  noGrad,
  type RowStreams,
  reshape,
  scope,
  Tensor,
  toDevice,
  widen,
} from '../../tensor/index.js';
import type { Prompt, PromptBuilder } from '../../text/index.js';
import type { Ranking, RankOptions, Recommender } from '../recommender.js';
import type { SASRec } from '../sasrec.js';
import { turn } from '../turn.js';
import type { Adapter } from './adapter.js';
import { type Layout, type LayoutRow, layOut, rowLength, treeMask } from './layout.js';
import type { PromptMemory } from './prompt-memory.js';

export interface LlmParts {
  name: string;
  base: Llama;
  prompts: PromptBuilder;
  /** Absent: the base as it is, with prompts of text only. */
  adapter?: Adapter;
  /** Frozen; gives representations for the gate and vectors for the slots. */
  recommender?: SASRec;
  /** Tokens, padding included, that go through the model at once. */
  batchTokens: number;
}

/** What training brings to a forward pass. */
export interface ForwardOptions {
  /** Source of dropout masks, a stream per row; absent in evaluation. */
  dropout?: RowStreams;
  /** Weights of the experts; by default those that evaluation gives the histories. */
  gates_BE?: Tensor;
  /** Keeps layers' inputs in place of their activations. */
  recomputation?: Recomputation;
  /** Keys and values of the first tokens of the only row, which are not read again; the others are added. */
  cache?: KvCache;
}

export class LlmRecommender implements Recommender {
  readonly parts: LlmParts;
  readonly trainableParameters: number;

  constructor(parts: LlmParts) {
    this.parts = parts;
    this.trainableParameters = parts.adapter?.trainableParameters ?? 0;
    const { adapter, recommender } = parts;
    if (
      (adapter?.gate !== undefined || adapter?.projector !== undefined) &&
      recommender === undefined
    ) {
      throw internal('a gate or a projector needs a recommender');
    }
  }

  get name(): string {
    return this.parts.name;
  }

  /** The prompt of an instance, with slots where the adapter has a projector and `wantsSlots` agrees. */
  prompt({ history, candidates }: Instance, { template = 0, wantsSlots = true } = {}): Prompt {
    const hasSlots = wantsSlots && this.parts.adapter?.projector !== undefined;
    return this.parts.prompts.build({ history, candidates, hasSlots, template });
  }

  /** Weights of the experts per history, [B, E]; undefined without a gate. */
  gates(histories: readonly (readonly number[])[], use?: GateUse): Tensor | undefined {
    const { adapter, recommender } = this.parts;
    if (adapter?.gate === undefined || recommender === undefined) return undefined;
    const representation_BM = noGrad(() => recommender.represent(histories));
    return adapter.gate.forward(representation_BM, use);
  }

  /**
   * Log-probabilities of all predictions of a layout, in its order.
   * @param histories one per row, for the gate
   */
  logProbabilities(
    layout: Layout,
    histories: readonly (readonly number[])[],
    { dropout, recomputation, cache, gates_BE = this.gates(histories) }: ForwardOptions = {},
  ): {
    logProbabilities_X: Tensor;
    gates_BE?: Tensor;
  } {
    const { base } = this.parts;
    const { B, T } = layout;
    const pass: Pass = {
      ...(gates_BE && { gates_BE: recomputation?.leaf(gates_BE) ?? gates_BE }),
      ...(dropout && { dropout }),
      ...(recomputation && { recomputation }),
    };
    const known = cache?.length ?? 0;
    const unread = (x: Tensor, axis: number): Tensor =>
      known === 0 ? x : narrow(x, axis, known, T - known);
    const hidden_BTD = base.forward(unread(this.#embed(layout), 1), {
      pass,
      ...(cache && { cache }),
      ...((layout.isTree || known > 0) && {
        positions: layout.positions.slice(known),
        mask: unread(treeMask(layout, base), 2),
      }),
    });
    const flat = reshape(hidden_BTD, [B * (T - known), base.config.hiddenSize]);
    const places = layout.states.map((place) => place - known);
    const states_UD = indexSelect(flat, 0, this.#index(places));
    const logs_UV = logSoftmax(widen(base.logits(states_UD)), -1);
    const V = base.config.vocabSize;
    const picks = layout.predictions.map(({ state, token }) => state * V + token);
    return {
      logProbabilities_X: indexSelect(reshape(logs_UV, [-1]), 0, this.#index(picks)),
      ...(gates_BE && { gates_BE }),
    };
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
          return generateGreedy(base, this.#embed(layout), {
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

  /** Token embeddings with the item slots filled in. */
  #embed({ B, T, ids, slots }: Layout): Tensor {
    const { base, adapter, recommender } = this.parts;
    const embedded_BTD = base.embed(toDevice(Tensor.from(ids, [B, T]), base.device));
    if (slots.items.length === 0 || adapter?.projector === undefined || recommender === undefined)
      return embedded_BTD;
    const vectors_XM = noGrad(() => recommender.itemVectors(slots.items));
    const slots_XD = adapter.projector.forward(vectors_XM, base.dtype);
    const flat = reshape(embedded_BTD, [B * T, base.config.hiddenSize]);
    return reshape(indexCopy(flat, 0, this.#index(slots.places), slots_XD), [
      B,
      T,
      base.config.hiddenSize,
    ]);
  }

  #index(places: readonly number[]): Tensor {
    return toDevice(Tensor.from(BigInt64Array.from(places, BigInt)), this.parts.base.device);
  }
}

/** Row numbers in batches of similar length, each at most `tokens` with its padding (or a single row). */
export function cutByTokens(rows: readonly LayoutRow[], tokens: number): number[][] {
  const lengths = rows.map(rowLength);
  const order = lengths
    .map((_, i) => i)
    .sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const batches: number[][] = [];
  let longest = 0;
  for (const i of order) {
    const last = batches.at(-1);
    if (last !== undefined && (last.length + 1) * longest <= tokens) last.push(i);
    else {
      batches.push([i]);
      longest = lengths[i] as number;
    }
  }
  return batches;
}
