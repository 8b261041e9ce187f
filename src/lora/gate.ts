/**
 * ★ Gates: from the representation of a user's history to the weights of the experts.
 *
 * `LinearGate` is the paper's (eq. 11); `ConvGate` (conv-gate.ts) is the one the authors' code runs.
 */
import { mismatch } from '../errors/index.js';
import { kaimingUniform, Module, parameter } from '../nn/index.js';
import {
  cast,
  dims,
  type Generator,
  linear,
  mul,
  reshape,
  softmax,
  type Tensor,
} from '../tensor/index.js';

/** What a gate with batch statistics has to know; others need none of it. */
export interface GateUse {
  /** Whether it uses the statistics of this batch; false by default. */
  isTraining?: boolean;
  /** Whether a training batch moves the running statistics; true by default. */
  movesStatistics?: boolean;
}

/** representation_BM → gates_BE, rows sum to 1; with G groups [B, G·E], where each group sums to 1. */
export interface Gate extends Module {
  /** E */
  readonly experts: number;
  /** G: weights that the gate gives at once, one group for all layers or one for each. */
  readonly groups: number;
  /** Whether, in training, an instance's weights depend on the others of its batch. */
  readonly dependsOnBatch: boolean;
  forward(representation_BM: Tensor, use?: GateUse): Tensor;
}

/** What goes beyond the paper's gate. */
export interface GateOptions {
  /** G; 1 by default. */
  groups?: number;
  /** τ: logits are divided by it, so that below 1 the weights are sharper; 1 by default. */
  temperature?: number;
}

/** ω = softmax(W_g z / τ), in G groups. Kong et al., eq. 11 has G = τ = 1; G·E·M values, no bias. */
export class LinearGate extends Module implements Gate {
  weight: Tensor; // [G·E, M]
  readonly groups: number;
  readonly dependsOnBatch = false;
  readonly #temperature: number;

  /** @throws IloraError `usage` for a temperature that is not above 0 */
  constructor(
    representationWidth: number,
    readonly experts: number,
    generator: Generator,
    { groups = 1, temperature = 1 }: GateOptions = {},
  ) {
    super();
    if (!(temperature > 0))
      throw mismatch('usage', {
        where: 'LinearGate(temperature)',
        expected: 'a number above 0',
        got: temperature,
      });
    this.groups = groups;
    this.#temperature = temperature;
    this.weight = parameter(kaimingUniform([groups * experts, representationWidth], generator));
  }

  forward(representation_BM: Tensor): Tensor {
    dims('LinearGate.forward(representation)', representation_BM, 'B M', {
      M: this.weight.axis(1),
    });
    const B = representation_BM.axis(0);
    const { groups: G, experts: E } = this;
    const plain_BX = linear(cast(representation_BM, this.weight.dtype), this.weight);
    const logits_BGE = reshape(mul(plain_BX, 1 / this.#temperature), [B, G, E]);
    return reshape(softmax(logits_BGE, 2), [B, G * E]);
  }
}
