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
import {
  add,
  cast,
  dims,
  type Generator,
  linear,
  mul,
  type Tensor,
  zeros,
} from '../tensor/index.js';

export interface LoraOptions {
  /** R: rank of the update. */
  rank: number;
  /** The update is scaled by alpha / R. */
  alpha: number;
  /** Probability that an activation entering the update is dropped. */
  dropout: number;
}

/** y = x Wᵀ + (alpha / R) · (x Aᵀ) Bᵀ, with A = `down` and B = `up`. */
export class LoraLinear extends Module implements LinearLayer {
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

  /** [B, T, I] → [B, T, O]. @throws ShapeError if x has another width */
  forward(x_BTI: Tensor, pass?: Pass): Tensor {
    dims('LoraLinear.forward(x)', x_BTI, '... I', { I: this.inFeatures });
    const { dtype } = x_BTI;
    const low_BTR = linear(this.#dropout.forward(x_BTI, pass), cast(this.down, dtype));
    return add(
      this.#base.forward(x_BTI, pass),
      linear(mul(low_BTR, this.scale), cast(this.up, dtype)),
    );
  }
}
