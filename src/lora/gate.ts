/**
 * ★ Gates: from the representation of a user's history to the weights of the experts.
 *
 * `LinearGate` is the paper's (eq. 11); `ConvGate` (conv-gate.ts) is the one the authors' code runs.
 */
import { kaimingUniform, Module, parameter } from '../nn/index.js';
import { cast, dims, type Generator, linear, softmax, type Tensor } from '../tensor/index.js';

/** representation_BM → gates_BE, rows sum to 1. */
export interface Gate extends Module {
  readonly experts: number;
  /** @param isTraining lets a gate with batch statistics use those of this batch */
  forward(representation_BM: Tensor, isTraining: boolean): Tensor;
}

/** ω = softmax(W_g z). Kong et al., eq. 11; E·M values, no bias. */
export class LinearGate extends Module implements Gate {
  weight: Tensor; // [E, M]

  constructor(
    representationWidth: number,
    readonly experts: number,
    generator: Generator,
  ) {
    super();
    this.weight = parameter(kaimingUniform([experts, representationWidth], generator));
  }

  forward(representation_BM: Tensor, _isTraining: boolean): Tensor {
    dims('LinearGate.forward(representation)', representation_BM, 'B M', {
      M: this.weight.axis(1),
    });
    return softmax(linear(cast(representation_BM, this.weight.dtype), this.weight), 1);
  }
}
