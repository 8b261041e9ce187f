/**
 * One layer of a Llama: attention with grouped heads, then a gated feed-forward part.
 *
 * Touvron et al. 2023; grouped-query attention as in Ainslie et al. 2023. Field names are those of
 * Hugging Face's LlamaDecoderLayer, so that checkpoint keys agree.
 */

import { forwardAll, type LinearLayer, Module, type Pass, type RmsNorm } from '../nn/index.js';
import {
  type AttentionOptions,
  add,
  attention,
  dims,
  indexSelect,
  mul,
  permute,
  reshape,
  silu,
  type Tensor,
} from '../tensor/index.js';
import type { ModelConfig } from '../weights/index.js';
import type { KvCache } from './kv-cache.js';
import { type Rotation, rotate } from './rope.js';

/** What all layers of one forward pass share. */
export interface BlockInput {
  rotation: Rotation;
  attention: AttentionOptions;
  cache?: KvCache;
  pass?: Pass;
  /** In the last layer: the positions whose states are asked for. The others serve as keys and values only. */
  places?: Places;
}

/** Positions of each row, as many in each. */
export interface Places {
  /** Row-major in [B, T], [B·U] int64. */
  index: Tensor;
  U: number;
}

/** [B, T, ...] → [B, U, ...] */
function pick(x: Tensor, { index, U }: Places): Tensor {
  const { B, T, D } = dims('pick(x)', x, 'B T D');
  return reshape(indexSelect(reshape(x, [B * T, D]), 0, index), [B, U, D]);
}

/** A pass whose gates are those of the places, where positions have gates of their own. */
function passAt(pass: Pass | undefined, places: Places | undefined): Pass | undefined {
  const gates = pass?.gates_BE;
  if (places === undefined || gates === undefined || gates.shape.length < 3) return pass;
  return { ...pass, gates_BE: pick(gates, places) };
}

/** Weights by Hugging Face key below `layers.N.`. */
export interface BlockParts {
  linear(name: string): LinearLayer;
  norm(name: string): RmsNorm;
}

class SelfAttention extends Module {
  qProj: LinearLayer; // [H·K, D]
  kProj: LinearLayer; // [G·K, D]
  vProj: LinearLayer; // [G·K, D]
  oProj: LinearLayer; // [D, H·K]
  readonly #config: ModelConfig;
  readonly #layer: number;

  constructor(config: ModelConfig, layer: number, parts: BlockParts) {
    super();
    this.#config = config;
    this.#layer = layer;
    this.qProj = parts.linear('self_attn.q_proj');
    this.kProj = parts.linear('self_attn.k_proj');
    this.vProj = parts.linear('self_attn.v_proj');
    this.oProj = parts.linear('self_attn.o_proj');
  }

  forward(
    x_BTD: Tensor,
    { rotation, attention: options, cache, pass, places }: BlockInput,
  ): Tensor {
    const { B, T } = dims('SelfAttention.forward(x)', x_BTD, 'B T D');
    const { numHeads: H, numKvHeads: G, headDim: K } = this.#config;
    const heads = (x: Tensor, count: number): Tensor =>
      permute(reshape(x, [B, T, count, K]), [0, 2, 1, 3]);
    const [query, key, value] = forwardAll([this.qProj, this.kProj, this.vProj], x_BTD, pass) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const query_BHTK = rotate(heads(query, H), rotation);
    let keys_BGSK = rotate(heads(key, G), rotation);
    let values_BGSK = heads(value, G);
    if (cache !== undefined) {
      ({ keys: keys_BGSK, values: values_BGSK } = cache.append(
        this.#layer,
        keys_BGSK,
        values_BGSK,
      ));
    }
    const mixed_BHTK = attention(query_BHTK, keys_BGSK, values_BGSK, options);
    const mixed_BTI = reshape(permute(mixed_BHTK, [0, 2, 1, 3]), [B, T, H * K]);
    return this.oProj.forward(
      places === undefined ? mixed_BTI : pick(mixed_BTI, places),
      passAt(pass, places),
    );
  }
}

class FeedForward extends Module {
  gateProj: LinearLayer; // [F, D]
  upProj: LinearLayer; // [F, D]
  downProj: LinearLayer; // [D, F]

  constructor(parts: BlockParts) {
    super();
    this.gateProj = parts.linear('mlp.gate_proj');
    this.upProj = parts.linear('mlp.up_proj');
    this.downProj = parts.linear('mlp.down_proj');
  }

  forward(x_BTD: Tensor, pass?: Pass): Tensor {
    const [gate_BTF, up_BTF] = forwardAll([this.gateProj, this.upProj], x_BTD, pass) as [
      Tensor,
      Tensor,
    ];
    return this.downProj.forward(mul(silu(gate_BTF), up_BTF), pass);
  }
}

/** x + attention(norm(x)), then + feed-forward(norm(·)); [B, T, D] → [B, T, D], or [B, U, D] at places. */
export class Block extends Module {
  inputLayernorm: RmsNorm;
  selfAttn: SelfAttention;
  postAttentionLayernorm: RmsNorm;
  mlp: FeedForward;

  constructor(config: ModelConfig, layer: number, parts: BlockParts) {
    super();
    this.inputLayernorm = parts.norm('input_layernorm');
    this.selfAttn = new SelfAttention(config, layer, parts);
    this.postAttentionLayernorm = parts.norm('post_attention_layernorm');
    this.mlp = new FeedForward(parts);
  }

  forward(x_BTD: Tensor, input: BlockInput): Tensor {
    const { places } = input;
    const attended_BTD = add(
      places === undefined ? x_BTD : pick(x_BTD, places),
      this.selfAttn.forward(this.inputLayernorm.forward(x_BTD), input),
    );
    return add(
      attended_BTD,
      this.mlp.forward(
        this.postAttentionLayernorm.forward(attended_BTD),
        passAt(input.pass, places),
      ),
    );
  }
}
