/**
 * ★ From the language model's states to scores of items: what next-item prediction trains beside the adapter.
 */
import { Dropout, Linear, Module, type Pass, parameter } from '../../../nn/index.js';
import {
  add,
  full,
  type Generator,
  linear,
  mul,
  type Tensor,
  zeros,
} from '../../../tensor/index.js';

export interface HeadOptions {
  /**
   * What the encoder's own state adds. `true`: it is there from the first step on, with a learned weight that starts
   * at 1; the rest then starts at zero. `late`: training does not see it, answers are ranked by u + z, the mean of both.
   * Not quite the mean where texts are read, whose outputs z meets too, or the encoder has a bias, which counts once.
   */
  residual: boolean | 'late';
  /** Maps the items' text vectors into the space of the scores. */
  readsTexts: boolean;
  /** Probability that a value of a state is dropped before it is mapped. */
  dropout: number;
}

/** Widths of what a head maps. */
export interface HeadWidths {
  /** D: of the language model. */
  model: number;
  /** S: of the encoder's states, in which scores are products. */
  representation: number;
  /** M: of the encoder's item vectors. */
  items: number;
}

/** u = W h + b (+ a z); an item's vector is v + T P / √D, T its text vector. */
export class ItemHead extends Module {
  output: Linear; // [S, D]
  /** P */
  texts?: Tensor; // [S, D]
  /** a */
  residual?: Tensor; // [1]
  readonly #isLate: boolean;
  /** Added to what words let expect of vectors that are missing, at a slot and in the scores. */
  missingSlot: Tensor; // [M]
  missingOutput: Tensor; // [S]
  readonly #dropout: Dropout;

  constructor(
    { residual, readsTexts, dropout }: HeadOptions,
    { model, representation, items }: HeadWidths,
    generator: Generator,
  ) {
    super();
    this.#dropout = new Dropout(dropout);
    this.#isLate = residual === 'late';
    this.output =
      residual === true
        ? new Linear(parameter(zeros([representation, model])), parameter(zeros([representation])))
        : Linear.create(model, representation, { generator });
    if (readsTexts) this.texts = parameter(zeros([representation, model]));
    if (residual === true) this.residual = parameter(full([1], 1));
    this.missingSlot = parameter(zeros([items]));
    this.missingOutput = parameter(zeros([representation]));
  }

  /** States of the language model and of the encoder → states in the space of the scores, [B, T, S]. */
  forward(states_BTD: Tensor, encoded_BTS: Tensor, pass: Pass): Tensor {
    const mapped_BTS = this.output.forward(this.#dropout.forward(states_BTD, pass));
    if (this.residual !== undefined) return add(mapped_BTS, mul(encoded_BTS, this.residual));
    const isTraining = pass.dropout !== undefined;
    return this.#isLate && !isTraining ? add(mapped_BTS, encoded_BTS) : mapped_BTS;
  }

  /** What texts add to the items' vectors, [N, S]; undefined where texts are not read. */
  textOutputs(texts_ND: Tensor): Tensor | undefined {
    if (this.texts === undefined) return undefined;
    return mul(linear(texts_ND, this.texts), 1 / Math.sqrt(texts_ND.axis(-1)));
  }
}
