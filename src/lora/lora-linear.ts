/**
 * LoRA: a frozen linear layer with a trained low-rank update.
 *
 * Hu et al. 2022; iLoRA paper eq. 3. Factors are kept in float32 and used in the activations' type.
 */
import {
  Dropout,
  kaimingUniform,
  type LinearLayer,
  Module,
  type Pass,
  parameter,
} from '../nn/index.js';
import { type Generator, type Tensor, zeros } from '../tensor/index.js';
import { forwardLowRank, type LowRankLayer } from './low-rank.js';

export interface LoraOptions {
  /** R: rank of the update. */
  rank: number;
  /** The update is scaled by alpha / R. */
  alpha: number;
  /** Probability that an activation entering the update is dropped. */
  dropout: number;
}

/** y = x Wᵀ + (alpha / R) · (x Aᵀ) Bᵀ, with A = `down` and B = `up`. */
export class LoraLinear extends Module implements LowRankLayer {
  down: Tensor; // [R, I]
  up: Tensor; // [O, R]
  readonly scale: number;
  readonly #base: LinearLayer;
  readonly #dropout: Dropout;

  /** @param generator draws `down`; `up` starts at zero, so the layer starts as its base */
  constructor(base: LinearLayer, { rank, alpha, dropout }: LoraOptions, generator: Generator) {
    super();
    this.#base = base;
    this.#dropout = new Dropout(dropout);
    this.scale = alpha / rank;
    this.down = parameter(kaimingUniform([rank, base.inFeatures], generator));
    this.up = parameter(zeros([base.outFeatures, rank]));
  }

  get base(): LinearLayer {
    return this.#base;
  }

  get inFeatures(): number {
    return this.#base.inFeatures;
  }

  get outFeatures(): number {
    return this.#base.outFeatures;
  }

  get dropout(): Dropout {
    return this.#dropout;
  }

  get forwardJointly() {
    return forwardLowRank;
  }

  blockWeights(): undefined {}

  /** [..., I] → [..., O]. @throws ShapeError if x has another width */
  forward(x: Tensor, pass?: Pass): Tensor {
    return forwardLowRank([this], x, pass)[0] as Tensor;
  }
}
