/**
 * One layer of a Llama: attention with grouped heads, then a gated feed-forward part.
 *
 * Touvron et al. 2023; grouped-query attention as in Ainslie et al. 2023. Field names are those of
 * Hugging Face's LlamaDecoderLayer, so that checkpoint keys agree.
 */

import type { ModelConfig } from '../checkpoint/index.js';
import { forwardAll, type LinearLayer, Module, type Pass, type RmsNorm } from '../nn/index.js';
import {
  type AttentionOptions,
  add,
  attention,
  dims,
  mul,
  permute,
  reshape,
  silu,
  type Tensor,
} from '../tensor/index.js';
import type { KvCache } from './kv-cache.js';
import { type Rotation, rotate } from './rope.js';

/** What all layers of one forward pass share. */
export interface BlockInput {
  rotation: Rotation;
  attention: AttentionOptions;
  cache?: KvCache;
  pass?: Pass;
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

  forward(x_BTD: Tensor, { rotation, attention: options, cache, pass }: BlockInput): Tensor {
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
    return this.oProj.forward(reshape(permute(mixed_BHTK, [0, 2, 1, 3]), [B, T, H * K]), pass);
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

/** x + attention(norm(x)), then + feed-forward(norm(·)). */
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
    const attended_BTD = add(
      x_BTD,
      this.selfAttn.forward(this.inputLayernorm.forward(x_BTD), input),
    );
    return add(
      attended_BTD,
      this.mlp.forward(this.postAttentionLayernorm.forward(attended_BTD), input.pass),
    );
  }
}
