/**
 * A table of vectors by id.
 */
import { embedding, type Generator, type Tensor } from '../tensor/index.js';
import { normal } from './initialization.js';
import { Module, parameter } from './module.js';

/** Rows of a table [N, D]. */
export class Embedding extends Module {
  weight: Tensor; // [N, D]

  constructor(
    weight_ND: Tensor,
    /** This row gets no gradient. */
    readonly paddingId = -1,
  ) {
    super();
    this.weight = weight_ND;
  }

  /** A trained table drawn from N(0, deviation²). */
  static create(
    rows: number,
    width: number,
    options: { generator: Generator; deviation?: number; paddingId?: number },
  ): Embedding {
    return new Embedding(
      parameter(normal([rows, width], options.deviation ?? 1, options.generator)),
      options.paddingId,
    );
  }

  /** int64 ids of any shape [...] → [..., D] */
  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids, this.paddingId);
  }
}
