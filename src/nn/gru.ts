/**
 * A layer of gated recurrent units.
 */
import { dims, type Generator, gru, type Tensor, zeros } from '../tensor/index.js';
import { uniform } from './initialization.js';
import { Module, parameter } from './module.js';

/**
 * States after every place of a sequence, from a state of zeros.
 *
 * r = σ(W_r x + b_r + U_r h + c_r), z likewise
 * n = tanh(W_n x + b_n + r ⊙ (U_n h + c_n))
 * h ← (1 - z) ⊙ n + z ⊙ h
 *
 * @see Cho et al., EMNLP 2014. Differs, as PyTorch does: r stands behind U_n h, and U has a bias of its own.
 */
export class Gru extends Module {
  input: Tensor; // [3O, I]: W of r, z, n
  state: Tensor; // [3O, O]: U of r, z, n
  inputBias: Tensor; // [3O]
  stateBias: Tensor; // [3O]

  /** A trained layer with PyTorch's default start. */
  constructor(inFeatures: number, outFeatures: number, generator: Generator) {
    super();
    const start = (...shape: number[]): Tensor =>
      parameter(uniform(shape, 1 / Math.sqrt(outFeatures), generator));
    this.input = start(3 * outFeatures, inFeatures);
    this.state = start(3 * outFeatures, outFeatures);
    this.inputBias = start(3 * outFeatures);
    this.stateBias = start(3 * outFeatures);
  }

  get inFeatures(): number {
    return this.input.axis(1);
  }

  get outFeatures(): number {
    return this.state.axis(1);
  }

  /** @returns states_BLO; that of a place depends on it and on what stands before it */
  forward(x_BLI: Tensor): Tensor {
    const { B } = dims('Gru.forward(x)', x_BLI, 'B L I', { I: this.inFeatures });
    const start_BO = zeros([B, this.outFeatures], { dtype: x_BLI.dtype, device: x_BLI.device });
    return gru(x_BLI, start_BO, {
      input_GI: this.input,
      state_GH: this.state,
      inputBias_G: this.inputBias,
      stateBias_G: this.stateBias,
    });
  }
}
