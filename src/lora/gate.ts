/**
 * ★ Gates: from the representation of a user's history to the weights of the experts.
 *
 * `LinearGate` is the paper's (eq. 11); `ConvGate` (conv-gate.ts) is the one the authors' code runs.
 */
import { kaimingUniform, Module, parameter } from '../nn/index.js';
import { cast, dims, type Generator, linear, softmax, type Tensor } from '../tensor/index.js';

/** What a gate with batch statistics has to know; others need none of it. */
export interface GateUse {
  /** Whether it uses the statistics of this batch; false by default. */
  isTraining?: boolean;
  /** Whether a training batch moves the running statistics; true by default. */
  movesStatistics?: boolean;
}

/** representation_BM → gates_BE, rows sum to 1. */
export interface Gate extends Module {
  readonly experts: number;
  /** Whether, in training, an instance's weights depend on the others of its batch. */
  readonly dependsOnBatch: boolean;
  forward(representation_BM: Tensor, use?: GateUse): Tensor;
}

/** ω = softmax(W_g z). Kong et al., eq. 11; E·M values, no bias. */
export class LinearGate extends Module implements Gate {
  weight: Tensor; // [E, M]
  readonly dependsOnBatch = false;

  constructor(
    representationWidth: number,
    readonly experts: number,
    generator: Generator,
  ) {
    super();
    this.weight = parameter(kaimingUniform([experts, representationWidth], generator));
  }

  forward(representation_BM: Tensor): Tensor {
    dims('LinearGate.forward(representation)', representation_BM, 'B M', {
      M: this.weight.axis(1),
    });
    return softmax(linear(cast(representation_BM, this.weight.dtype), this.weight), 1);
  }
}
