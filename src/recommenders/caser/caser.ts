/**
 * Caser: convolutions over a user's last items, read as an image of L rows and M columns.
 *
 * Tang & Wang, WSDM 2018, in the shape the iLoRA authors use, without the users' own vectors:
 * - items from N(0, 0.01²);
 * - horizontal filters of several heights, each giving the largest of its values over the window;
 * - one vertical filter, a weighted sum of the rows;
 * - ReLU on both kinds of filter, dropout, a linear output layer.
 *
 * Differs: a window of fewer than L items has its rows of zeros on the left, above the oldest item; the authors' has
 * them on the right. So a weight of the vertical filter belongs to a distance from the present here, and to a place
 * counted from the oldest item there. This way the windows that end at all places of a history lie in one image, and
 * one pass computes the states of all.
 */
import {
  constant,
  Dropout,
  Embedding,
  Linear,
  Module,
  type Pass,
  parameter,
  xavierNormal,
} from '../../nn/index.js';
import {
  cat,
  conv1d,
  dims,
  type Generator,
  maxPool1d,
  relu,
  reshape,
  type Tensor,
  transpose,
  zeros,
} from '../../tensor/index.js';
import type { ItemOutputs } from '../capability.js';
import { outputsOf, SequenceEncoder, type SequenceOptions } from '../sequence/encoder.js';

export interface CaserOptions extends SequenceOptions {
  /** Rows that a horizontal filter covers; each height has `channels` filters. */
  heights: readonly number[];
  channels: number;
  dropout: number;
}

/** max(0, w ∗ x + b) at every place where K rows fit. */
class Filters extends Module {
  weight: Tensor; // [O, I, K]
  bias: Tensor; // [O]

  constructor(shape: readonly [number, number, number], generator: Generator) {
    super();
    this.weight = parameter(xavierNormal(shape, generator));
    this.bias = parameter(constant(shape[0], 0.1));
  }

  forward(x_BIL: Tensor): Tensor {
    return relu(conv1d(x_BIL, this.weight, { bias: this.bias }));
  }
}

export class Caser extends SequenceEncoder {
  readonly method = 'caser';
  items: Embedding; // [N + 1, M]; the last row is the padding's
  horizontal: Filters[]; // [C, M, K] for each height K
  vertical: Filters; // [1, 1, L]
  output: Linear; // [N, S]
  readonly options: CaserOptions;
  readonly #dropout: Dropout;

  constructor(options: CaserOptions, generator: Generator) {
    super();
    this.options = options;
    const { catalogSize, maxHistory, width, heights, channels } = options;
    this.items = Embedding.create(catalogSize + 1, width, {
      generator,
      deviation: 0.01,
      paddingId: catalogSize,
    });
    this.horizontal = heights.map((height) => new Filters([channels, width, height], generator));
    this.vertical = new Filters([1, 1, maxHistory], generator);
    this.output = Linear.create(this.representationWidth, catalogSize, { generator });
    this.#dropout = new Dropout(options.dropout);
  }

  /** A value per horizontal filter and one per column. */
  override get representationWidth(): number {
    const { heights, channels, width } = this.options;
    return heights.length * channels + width;
  }

  /** The state of a place is what the window of the L items up to it gives. */
  forward(items_BL: Tensor, pass?: Pass): Tensor {
    dims('Caser.forward(items)', items_BL, 'B L');
    const x_BML = transpose(this.items.forward(items_BL), 1, 2);
    const states_BSL = cat([...this.#largest(x_BML), this.#weightedSum(x_BML)], 1);
    return this.#dropout.forward(transpose(states_BSL, 1, 2), pass);
  }

  /** Of each horizontal filter the largest value in the window that ends at a place. */
  #largest(x_BML: Tensor): Tensor[] {
    const { heights, maxHistory } = this.options;
    return heights.map((height, i) => {
      // A filter higher than the window has rows of zeros above it, and one place to stand at.
      const window = Math.max(maxHistory, height);
      const values = (this.horizontal[i] as Filters).forward(withRows(x_BML, window - 1));
      return maxPool1d(values, window - height + 1);
    });
  }

  /** The vertical filter runs over each column by itself. */
  #weightedSum(x_BML: Tensor): Tensor {
    const [B, M, L] = x_BML.shape as [number, number, number];
    const { maxHistory } = this.options;
    const columns = reshape(withRows(x_BML, maxHistory - 1), [B * M, 1, maxHistory - 1 + L]);
    return reshape(this.vertical.forward(columns), [B, M, L]);
  }

  outputs(): ItemOutputs {
    return outputsOf(this.output);
  }
}

/** So many rows of zeros before the oldest item. */
function withRows(x_BML: Tensor, rows: number): Tensor {
  const [B, M] = x_BML.shape as [number, number];
  return cat([zeros([B, M, rows], { dtype: x_BML.dtype, device: x_BML.device }), x_BML], 2);
}
