/**
 * What the sequence models share: a state after every item of a history, scores of all items from a state.
 *
 * A subclass says how states come about (`forward`) and what they are multiplied with (`outputs`). Items on the right of a
 * history are padding; states of real places must not depend on it.
 */
import { mismatch } from '../../errors/index.js';
import { type Embedding, type Linear, Module, overwrite, type Pass } from '../../nn/index.js';
import {
  type Device,
  Generator,
  indexSelect,
  linear,
  reshape,
  Tensor,
  toDevice,
} from '../../tensor/index.js';
import type { Encoder, EncoderDescription, ItemOutputs } from '../capability.js';

/** What every sequence model is made with. */
export interface SequenceOptions {
  /** N; the padding id. */
  catalogSize: number;
  /** L: longest history. */
  maxHistory: number;
  /** M: width of items and of the representation. */
  width: number;
}

export abstract class SequenceEncoder extends Module implements Encoder {
  /** Name of its method. */
  abstract readonly method: string;
  abstract readonly options: SequenceOptions;
  abstract items: Embedding; // [N + 1, M]; the last row is the padding's

  /**
   * States after every item.
   * @param items_BL int64 ids, oldest first, padded on the right with N
   * @returns states_BLS, of the width that `logits` takes
   */
  abstract forward(items_BL: Tensor, pass?: Pass): Tensor;

  /** What states are multiplied with; `logits` follows from it. */
  abstract outputs(): ItemOutputs;

  /** Scores of all items: [..., S] → [..., N]. */
  logits(states: Tensor): Tensor {
    const { vectors_NS, bias_N } = this.outputs();
    return linear(states, vectors_NS, bias_N);
  }

  /** M: width of the item vectors. */
  get width(): number {
    return this.options.width;
  }

  /** S: width of the states; that of the items where a subclass says nothing else. */
  get representationWidth(): number {
    return this.options.width;
  }

  get maxHistory(): number {
    return this.options.maxHistory;
  }

  get device(): Device {
    return this.items.weight.device;
  }

  trainableCopy(): SequenceEncoder {
    type Made = new (options: SequenceOptions, generator: Generator) => SequenceEncoder;
    const copy = new (this.constructor as Made)(this.options, new Generator(0));
    copy.to(this.device, this.items.weight.dtype);
    overwrite(new Map(copy.namedTensors()), new Map(this.namedTensors()), this.method);
    return copy;
  }

  describe(): EncoderDescription {
    return { method: this.method, options: this.options };
  }

  /**
   * One vector per history: the state after its last item.
   * @param histories item ids, oldest first; only the last L count
   * @returns representation_BS
   * @throws IloraError `data` if a history is empty, which has no last item, or holds an item outside the catalog
   */
  represent(histories: readonly (readonly number[])[]): Tensor {
    const { maxHistory, catalogSize } = this.options;
    const where = `${this.method}: history`;
    const cut = histories.map((history) => history.slice(-maxHistory));
    const L = Math.max(...cut.map((history) => history.length));
    const ids = new BigInt64Array(cut.length * L).fill(BigInt(catalogSize));
    const lasts = new BigInt64Array(cut.length);
    for (const [b, history] of cut.entries()) {
      if (history.length === 0)
        throw mismatch('data', { where, expected: 'at least one item', got: [] });
      for (const [l, item] of history.entries())
        ids[b * L + l] = BigInt(checkedItem(item, catalogSize, where));
      lasts[b] = BigInt(b * L + history.length - 1);
    }
    const states_BLS = this.forward(toDevice(Tensor.from(ids, [cut.length, L]), this.device));
    const flat = reshape(states_BLS, [cut.length * L, states_BLS.shape[2] as number]);
    return indexSelect(flat, 0, toDevice(Tensor.from(lasts), this.device));
  }

  /** Vectors of items, [X, M]. */
  itemVectors(items: readonly number[]): Tensor {
    const ids = Tensor.from(items, undefined, 'int64');
    return this.items.forward(toDevice(ids, this.device));
  }
}

/** What a linear output layer multiplies states with. */
export function outputsOf({ weight, bias }: Linear): ItemOutputs {
  return { vectors_NS: weight, ...(bias && { bias_N: bias }) };
}

/** The item itself, if the catalog has it. @throws IloraError `data` */
export function checkedItem(item: number, catalogSize: number, where: string): number {
  if (!Number.isInteger(item) || item < 0 || item >= catalogSize)
    throw mismatch('data', { where, expected: `an item in [0, ${catalogSize})`, got: item });
  return item;
}
