/**
 * Normalisation over the last axis.
 */
import { layerNorm, rmsNorm, type Tensor } from '../tensor/index.js';
import { constant } from './initialization.js';
import { Module, parameter } from './module.js';

/** (x - mean) / √(variance + ε) · w + b */
export class LayerNorm extends Module {
  weight: Tensor; // [D]
  bias: Tensor; // [D]

  constructor(
    width: number,
    readonly epsilon = 1e-5,
  ) {
    super();
    this.weight = parameter(constant(width, 1));
    this.bias = parameter(constant(width, 0));
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.epsilon);
  }
}

/** x / √(mean(x²) + ε) · w. Zhang & Sennrich 2019, as in Llama. */
export class RmsNorm extends Module {
  weight: Tensor; // [D]

  constructor(
    weight_D: Tensor,
    readonly epsilon = 1e-5,
  ) {
    super();
    this.weight = weight_D;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.epsilon);
  }
}
