/**
 * ★ The heart of iLoRA: low-rank experts on a frozen layer, mixed by each instance's gate.
 *
 * Kong et al., NeurIPS 2024, eq. 9 and 12: ΔW(i) = Σₑ ωₑ(i) · Bₑ Aₑ. The experts' factors lie side by side
 * in one pair of matrices of rank E·R. An instance's adapter is that pair, its rank axis weighted by the gate.
 * So it costs what one LoRA costs, in training and in batches of mixed users (low-rank.ts has the products).
 *
 * Differs from the authors' code: no loop over experts (the weights act between A and B), and the
 * scale is stated, alpha / (E·R) as in eq. 3 or alpha / R as in their code (`scaleBy`).
 *
 * Ours beyond the paper: a layer may have its own group of the gate's weights (`group`), or a gate of its own
 * that reads what the layer reads (`hasOwnGate`), as mixtures of LoRA experts outside recommendation do.
 */
import { mismatch } from '../errors/index.js';
import {
  Dropout,
  kaimingUniform,
  type LinearLayer,
  Module,
  type Pass,
  parameter,
} from '../nn/index.js';
import { dims, type Generator, narrow, reshape, type Tensor, zeros } from '../tensor/index.js';
import { LinearGate } from './gate.js';
import { forwardLowRank, type LowRankLayer } from './low-rank.js';

export interface ExpertLoraOptions {
  /** E: number of experts. */
  experts: number;
  /** Rank of all experts together, E·R; a multiple of E. */
  totalRank: number;
  alpha: number;
  /** Probability that an activation entering the experts is dropped. */
  dropout: number;
  /** alpha over the total rank (the paper's eq. 3) or over one expert's rank (the authors' code; E times larger). */
  scaleBy: 'total-rank' | 'expert-rank';
  /** Which group of the pass's gates is this layer's, where they come in groups. */
  group?: number;
  /** Whether the layer weighs its experts by what it reads, and not by the pass's gates. */
  hasOwnGate?: boolean;
}

/** The factor on every expert's update. */
export function expertScale({ experts, totalRank, alpha, scaleBy }: ExpertLoraOptions): number {
  return alpha / (scaleBy === 'total-rank' ? totalRank : totalRank / experts);
}

/**
 * y = x Wᵀ + scale · Σₑ gₑ · (x Aₑᵀ) Bₑᵀ
 *
 * Expert e owns rows e·R ... (e+1)·R - 1 of `down` and the same columns of `up`.
 */
export class ExpertLoraLinear extends Module implements LowRankLayer {
  down: Tensor; // [E·R, I]
  up: Tensor; // [O, E·R]
  gate?: LinearGate; // I → E
  readonly experts: number;
  readonly expertRank: number;
  readonly scale: number;
  readonly #base: LinearLayer;
  readonly #dropout: Dropout;
  readonly #group: number | undefined;

  /** @param generator draws `down` and the own gate; `up` starts at zero, so the layer starts as its base */
  constructor(base: LinearLayer, options: ExpertLoraOptions, generator: Generator) {
    super();
    const { experts, totalRank, dropout } = options;
    if (!Number.isInteger(experts) || experts < 1 || totalRank % experts !== 0) {
      throw mismatch('usage', {
        where: 'ExpertLoraLinear(options)',
        expected: 'a total rank that is a multiple of the experts',
        got: { experts, totalRank },
      });
    }
    this.#base = base;
    this.#dropout = new Dropout(dropout);
    this.experts = experts;
    this.expertRank = totalRank / experts;
    this.scale = expertScale(options);
    this.#group = options.group;
    this.down = parameter(kaimingUniform([totalRank, base.inFeatures], generator));
    this.up = parameter(zeros([base.outFeatures, totalRank]));
    if (options.hasOwnGate) this.gate = new LinearGate(base.inFeatures, experts, generator);
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

  /**
   * The experts' weights, [B, E], or [B, T, E] for gates of each position. Of gates in G groups, [B, G·E] or
   * [B, T, G·E], the layer takes its own.
   * @throws ShapeError if x is not [B, T, I], or gates have another B, T or E
   */
  blockWeights(x_BTI: Tensor, pass?: Pass): Tensor {
    const { B, T } = dims('ExpertLoraLinear.forward(x)', x_BTI, 'B T I', { I: this.inFeatures });
    const E = this.experts;
    if (this.gate !== undefined) {
      const own_NE = this.gate.forward(reshape(x_BTI, [B * T, this.inFeatures]));
      return reshape(own_NE, [B, T, E]);
    }
    if (pass?.gates_BE === undefined) {
      throw mismatch('shape', {
        where: 'ExpertLoraLinear.forward(gates)',
        expected: `[B=${B}, E=${E}]`,
        got: undefined,
      });
    }
    const gates = this.#ownGroup(pass.gates_BE);
    if (gates.shape.length === 3)
      dims('ExpertLoraLinear.forward(gates)', gates, 'B T E', { B, T, E });
    else dims('ExpertLoraLinear.forward(gates)', gates, 'B E', { B, E });
    return gates;
  }

  #ownGroup(gates: Tensor): Tensor {
    if (this.#group === undefined) return gates;
    return narrow(gates, gates.shape.length - 1, this.#group * this.experts, this.experts);
  }

  /**
   * @param x_BTI         activations entering the layer
   * @param pass.gates_BE weight of each expert per instance, or per position; they sum to 1
   * @returns y_BTO
   * @throws ShapeError if x has another width, or gates another B, T or E
   */
  forward(x_BTI: Tensor, pass?: Pass): Tensor {
    return forwardLowRank([this], x_BTI, pass)[0] as Tensor;
  }
}
