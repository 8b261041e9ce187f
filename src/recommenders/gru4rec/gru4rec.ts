/**
 * GRU4Rec: gated recurrent units over a user's recent items.
 *
 * Hidasi et al., ICLR 2016, in the shape the iLoRA authors use: N(0, 0.01²) items, one layer of the items' width, a
 * linear output layer. Differs: dropout, which theirs lacks, and any number of layers.
 */
import { Dropout, Embedding, Gru, Linear, type Pass } from '../../nn/index.js';
import type { Generator, Tensor } from '../../tensor/index.js';
import type { ItemOutputs } from '../capability.js';
import { outputsOf, SequenceEncoder, type SequenceOptions } from '../sequence/encoder.js';

export interface GRU4RecOptions extends SequenceOptions {
  layers: number;
  dropout: number;
}

/** A state has seen the items up to its own and nothing to the right of it, so padding there changes no real state. */
export class GRU4Rec extends SequenceEncoder {
  readonly method = 'gru4rec';
  items: Embedding; // [N + 1, M]; the last row is the padding's
  layers: Gru[];
  output: Linear; // [N, M]
  readonly options: GRU4RecOptions;
  readonly #dropout: Dropout;

  constructor(options: GRU4RecOptions, generator: Generator) {
    super();
    this.options = options;
    const { catalogSize, width, layers } = options;
    this.items = Embedding.create(catalogSize + 1, width, {
      generator,
      deviation: 0.01,
      paddingId: catalogSize,
    });
    this.layers = Array.from({ length: layers }, () => new Gru(width, width, generator));
    this.output = Linear.create(width, catalogSize, { generator });
    this.#dropout = new Dropout(options.dropout);
  }

  /** States of the last layer. What enters a layer is dropped from, what leaves the last one is not. */
  forward(items_BL: Tensor, pass?: Pass): Tensor {
    let x_BLM = this.items.forward(items_BL);
    for (const layer of this.layers) x_BLM = layer.forward(this.#dropout.forward(x_BLM, pass));
    return x_BLM;
  }

  outputs(): ItemOutputs {
    return outputsOf(this.output);
  }
}
