/**
 * SASRec: self-attention over a user's recent items.
 *
 * Kang & McAuley, ICDM 2018. Two presets:
 * - `classic` is the shape the iLoRA authors use: one block, one head, N(0, 1) items, layer norm on queries only, a
 *   linear output layer;
 * - `modern` is ours: two pre-norm blocks, GELU, small start, output shared with the item table.
 */
import { Dropout, Embedding, LayerNorm, Linear, Module, type Pass } from '../../nn/index.js';
import {
  add,
  attention,
  dims,
  type Generator,
  gelu,
  mul,
  narrow,
  permute,
  relu,
  reshape,
  type Tensor,
} from '../../tensor/index.js';
import type { ItemOutputs } from '../capability.js';
import { outputsOf, SequenceEncoder, type SequenceOptions } from '../sequence/encoder.js';

export interface SASRecOptions extends SequenceOptions {
  blocks: number;
  /** Must divide the width. */
  heads: number;
  dropout: number;
  preset: 'classic' | 'modern';
}

class SASRecBlock extends Module {
  attentionNorm: LayerNorm;
  query: Linear; // [M, M]
  key: Linear; // [M, M]
  value: Linear; // [M, M]
  output?: Linear; // [M, M]
  feedForwardNorm: LayerNorm;
  inner: Linear; // [F, M]
  outer: Linear; // [M, F]
  readonly #options: SASRecOptions;
  readonly #dropout: Dropout;

  constructor(options: SASRecOptions, generator: Generator) {
    super();
    this.#options = options;
    this.#dropout = new Dropout(options.dropout);
    const { width, preset } = options;
    const square = (): Linear => Linear.create(width, width, { generator });
    this.attentionNorm = new LayerNorm(width);
    this.query = square();
    this.key = square();
    this.value = square();
    if (preset === 'modern') this.output = square();
    this.feedForwardNorm = new LayerNorm(width);
    const innerWidth = preset === 'modern' ? 4 * width : width;
    this.inner = Linear.create(width, innerWidth, { generator });
    this.outer = Linear.create(innerWidth, width, { generator });
  }

  forward(x_BLM: Tensor, pass: Pass | undefined): Tensor {
    return this.#options.preset === 'modern'
      ? this.#modern(x_BLM, pass)
      : this.#classic(x_BLM, pass);
  }

  #modern(x_BLM: Tensor, pass: Pass | undefined): Tensor {
    const normed_BLM = this.attentionNorm.forward(x_BLM);
    const mixed_BLM = (this.output as Linear).forward(this.#attend(normed_BLM, normed_BLM));
    const attended_BLM = add(x_BLM, this.#dropout.forward(mixed_BLM, pass));
    const inner_BLF = gelu(this.inner.forward(this.feedForwardNorm.forward(attended_BLM)));
    return add(attended_BLM, this.#dropout.forward(this.outer.forward(inner_BLF), pass));
  }

  #classic(x_BLM: Tensor, pass: Pass | undefined): Tensor {
    const query_BLM = this.attentionNorm.forward(x_BLM);
    const attended_BLM = add(
      query_BLM,
      this.#dropout.forward(this.#attend(query_BLM, x_BLM), pass),
    );
    const inner_BLF = this.#dropout.forward(relu(this.inner.forward(attended_BLM)), pass);
    const outer_BLM = this.#dropout.forward(this.outer.forward(inner_BLF), pass);
    return this.feedForwardNorm.forward(add(attended_BLM, outer_BLM));
  }

  #attend(query_BLM: Tensor, source_BLM: Tensor): Tensor {
    const { B, L, M } = dims('SASRecBlock.forward(x)', query_BLM, 'B L M');
    const { heads } = this.#options;
    const cut = (x: Tensor): Tensor => permute(reshape(x, [B, L, heads, M / heads]), [0, 2, 1, 3]);
    const mixed = attention(
      cut(this.query.forward(query_BLM)),
      cut(this.key.forward(source_BLM)),
      cut(this.value.forward(source_BLM)),
      { isCausal: true },
    );
    return reshape(permute(mixed, [0, 2, 1, 3]), [B, L, M]);
  }
}

/**
 * Items on the right of a history are padding; with causal attention no real place sees them, so the
 * states of real places do not depend on the padding.
 */
export class SASRec extends SequenceEncoder {
  readonly method = 'sasrec';
  items: Embedding; // [N + 1, M]; the last row is the padding's
  positions: Embedding; // [L, M]
  blocks: SASRecBlock[];
  norm: LayerNorm;
  output?: Linear; // [N, M]
  readonly options: SASRecOptions;
  readonly #dropout: Dropout;

  constructor(options: SASRecOptions, generator: Generator) {
    super();
    this.options = options;
    const { catalogSize, maxHistory, width, blocks, preset } = options;
    const deviation = preset === 'modern' ? 0.02 : 1;
    this.items = Embedding.create(catalogSize + 1, width, {
      generator,
      deviation,
      paddingId: catalogSize,
    });
    this.positions = Embedding.create(maxHistory, width, { generator, deviation });
    this.blocks = Array.from({ length: blocks }, () => new SASRecBlock(options, generator));
    this.norm = new LayerNorm(width);
    if (preset === 'classic') this.output = Linear.create(width, catalogSize, { generator });
    this.#dropout = new Dropout(options.dropout);
  }

  /**
   * States after every item.
   * @param items_BL int64 ids, oldest first, padded on the right with N
   * @returns states_BLM
   */
  forward(items_BL: Tensor, pass?: Pass): Tensor {
    const { L } = dims('SASRec.forward(items)', items_BL, 'B L');
    const scale = this.options.preset === 'modern' ? Math.sqrt(this.options.width) : 1;
    const places_LM = narrow(this.positions.weight, 0, 0, L);
    let x_BLM = add(mul(this.items.forward(items_BL), scale), mul(places_LM, scale));
    x_BLM = this.#dropout.forward(x_BLM, pass);
    for (const block of this.blocks) x_BLM = block.forward(x_BLM, pass);
    return this.norm.forward(x_BLM);
  }

  outputs(): ItemOutputs {
    if (this.output !== undefined) return outputsOf(this.output);
    return { vectors_NS: narrow(this.items.weight, 0, 0, this.options.catalogSize) };
  }
}
