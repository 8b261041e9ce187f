/**
 * A Llama-family language model: the frozen base.
 *
 * Covers Llama 2 and 3, SmolLM2, TinyLlama and Mistral without sliding window. It takes embeddings
 * rather than token ids, because item slots are vectors that stand for no token.
 */

import { mismatch } from '../errors/index.js';
import { Embedding, Linear, Module, type Pass, RmsNorm } from '../nn/index.js';
import {
  type AttentionOptions,
  causalMask,
  type Device,
  type DType,
  dims,
  indexSelect,
  linear,
  reshape,
  scope,
  Tensor,
  toDevice,
} from '../tensor/index.js';
import type { ModelConfig } from '../weights/index.js';
import { Block, type Places } from './block.js';
import type { KvCache } from './kv-cache.js';
import { RotaryEmbedding, type Rotation } from './rope.js';

/** Gives a stored tensor by its Hugging Face key without the leading `model.`. */
export type WeightLoader = (key: string) => Tensor;

export interface LlamaForwardOptions {
  pass?: Pass;
  /** Position of every token, row-major [B, T]; by default counted on from the cache's length. */
  positions?: readonly number[];
  /** Added to the attention scores, [B or 1, 1, T, S]; it forbids at least all later tokens. By default those. */
  mask?: Tensor;
  cache?: KvCache;
  /** K: how many of the first layers are run, the last norm behind them; by default all. */
  layers?: number;
  /** Positions whose states are asked for, row-major in [B, T]; by default all. */
  states?: readonly number[];
}

/** Embedding table, layers, last norm, output layer. All of it frozen. */
export class Llama extends Module {
  embedTokens: Embedding; // [V, D]
  layers: Block[];
  norm: RmsNorm;
  /** Absent where the output layer shares the embedding table. */
  lmHead?: Linear; // [V, D]
  /** Number of values in all weights, shared ones counted once. */
  readonly parameterCount: number;
  readonly #rope: RotaryEmbedding;
  readonly #config: ModelConfig;

  constructor(config: ModelConfig, load: WeightLoader) {
    super();
    checkConfig(config);
    this.#config = config;
    const norm = (key: string): RmsNorm => new RmsNorm(load(`${key}.weight`), config.rmsNormEps);
    this.embedTokens = new Embedding(load('embed_tokens.weight'));
    this.layers = Array.from({ length: config.numLayers }, (_, layer) => {
      const prefix = `layers.${layer}.`;
      return new Block(config, layer, {
        linear: (name) => {
          const hasBias = config.attentionBias === true && name.startsWith('self_attn');
          return new Linear(
            load(`${prefix}${name}.weight`),
            hasBias ? load(`${prefix}${name}.bias`) : undefined,
          );
        },
        norm: (name) => norm(`${prefix}${name}`),
      });
    });
    this.norm = norm('norm');
    if (!config.tieWordEmbeddings) this.lmHead = new Linear(load('lm_head.weight'));
    this.#rope = new RotaryEmbedding(config.headDim, config.ropeTheta, config.ropeScaling);
    this.freeze();
    let count = 0;
    for (const [, tensor] of this.namedTensors()) count += tensor.size;
    this.parameterCount = count;
  }

  get config(): ModelConfig {
    return this.#config;
  }

  get dtype(): DType {
    return this.norm.weight.dtype;
  }

  get device(): Device {
    return this.norm.weight.device;
  }

  /** Vectors of tokens: int64 ids [B, T] → [B, T, D]. */
  embed(ids_BT: Tensor): Tensor {
    return this.embedTokens.forward(ids_BT);
  }

  /**
   * Runs the layers.
   * @param hidden_BTD embeddings of tokens and of item slots
   * @returns states after the last norm, [B, T, D], or [X, D] for X `states` that were asked for
   * @throws ShapeError if the width is not the model's
   * @throws IloraError `data` beyond the positions the model was trained on: it would answer with noise
   */
  forward(
    hidden_BTD: Tensor,
    {
      pass,
      positions,
      mask,
      cache,
      layers: K = this.layers.length,
      states,
    }: LlamaForwardOptions = {},
  ): Tensor {
    const { B, T } = dims('Llama.forward(hidden)', hidden_BTD, 'B T D', {
      D: this.#config.hiddenSize,
    });
    if (!(Number.isInteger(K) && K >= 1 && K <= this.layers.length))
      throw mismatch('usage', {
        where: 'Llama.forward(layers)',
        expected: `a whole number from 1 to ${this.layers.length}`,
        got: K,
      });
    const start = cache?.length ?? 0;
    if (start > 0 && T > 1 && mask === undefined) {
      throw mismatch('shape', {
        where: 'Llama.forward(mask)',
        expected: 'a mask for several tokens after a cached prompt',
        got: mask,
      });
    }
    const last = positions?.reduce((most, each) => Math.max(most, each), 0) ?? start + T - 1;
    if (last >= this.#config.maxPositions) {
      throw mismatch('data', {
        where: 'Llama.forward',
        expected: `at most ${this.#config.maxPositions} positions, as in the base's training`,
        got: last + 1,
        hint: 'take fewer candidates, shorter titles, or a base with a longer context',
      });
    }
    const place = { device: this.device, dtype: this.dtype };
    const rotation: Rotation =
      positions === undefined
        ? this.#rope.range(start, T, place)
        : this.#rope.at(positions, [B, T], place);
    const attention: AttentionOptions =
      mask !== undefined
        ? { mask, isMaskCausal: true }
        : T > 1
          ? { isCausal: true, causal: causalMask(T, T, place) }
          : {};
    let x_BTD = hidden_BTD;
    const recomputation = pass?.recomputation;
    if (recomputation !== undefined) x_BTD = recomputation.leaf(x_BTD);
    const asked = states && this.#asked(states, [B, T]);
    const layers = this.layers.slice(0, K);
    for (const layer of layers) {
      // The last layer's states are nobody's keys: only those that are asked for are worth their products.
      const places = layer === layers.at(-1) ? asked?.places : undefined;
      const input = { rotation, attention, cache, pass, ...(places && { places }) };
      const body = (x: Tensor): Tensor => layer.forward(x, input);
      // What a layer makes on its way goes with it: a backward pass holds what it needs by itself. A
      // cache is filled from inside and outlives the layer.
      const once = (x: Tensor): Tensor => (cache === undefined ? scope(() => body(x)) : body(x));
      x_BTD = recomputation?.through(x_BTD, body, pass?.dropout) ?? once(x_BTD);
    }
    const normed = this.norm.forward(x_BTD);
    if (asked === undefined) return normed;
    const flat = reshape(normed, [B * asked.places.U, this.#config.hiddenSize]);
    return indexSelect(flat, 0, this.#index(asked.order));
  }

  /** Rows ask for as many places each, the last one again where they have fewer; where the states then stand. */
  #asked(states: readonly number[], [B, T]: [number, number]): { places: Places; order: number[] } {
    const rows = Array.from({ length: B }, (): number[] => []);
    const found = states.map((state) => {
      const row = rows[Math.floor(state / T)];
      if (row === undefined)
        throw mismatch('shape', {
          where: 'Llama.forward(states)',
          expected: `places in ${B} rows of ${T}`,
          got: state,
        });
      row.push(state);
      return { b: Math.floor(state / T), u: row.length - 1 };
    });
    const U = Math.max(1, ...rows.map((row) => row.length));
    const places = rows.flatMap((row, b) =>
      Array.from({ length: U }, (_, u) => row[Math.min(u, row.length - 1)] ?? b * T),
    );
    return {
      places: { index: this.#index(places), U },
      order: found.map(({ b, u }) => b * U + u),
    };
  }

  #index(places: readonly number[]): Tensor {
    return toDevice(Tensor.from(places, undefined, 'int64'), this.device);
  }

  /** Next-token logits of states: [..., D] → [..., V]. */
  logits(states: Tensor): Tensor {
    return linear(states, this.lmHead?.weight ?? this.embedTokens.weight);
  }
}

function checkConfig({ numHeads, numKvHeads, headDim, hiddenSize, vocabSize }: ModelConfig): void {
  if (numHeads % numKvHeads !== 0) {
    throw mismatch('format', {
      where: 'Llama(config)',
      expected: 'key/value heads that divide the query heads',
      got: { numHeads, numKvHeads },
    });
  }
  if (headDim % 2 !== 0 || hiddenSize < 1 || vocabSize < 1) {
    throw mismatch('format', {
      where: 'Llama(config)',
      expected: 'an even head width and positive sizes',
      got: { headDim, hiddenSize, vocabSize },
    });
  }
}
