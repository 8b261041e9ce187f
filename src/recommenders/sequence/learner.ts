/**
 * Trains a sequence model on whole sequences: every place of a chunk predicts the next item in one pass.
 *
 * A sequence is cut into chunks of L places, at an offset that is drawn anew each epoch. So each interaction is a
 * target once per epoch, at the cost of one pass. A row per prefix would pay it L times.
 */

import type { Sequence } from '../../data/index.js';
import type { ParameterGroup } from '../../optim/index.js';
import { Random } from '../../random/index.js';
import {
  add,
  binaryCrossEntropy,
  crossEntropy,
  full,
  gather,
  indexSelect,
  reshape,
  sum,
  Tensor,
  toDevice,
} from '../../tensor/index.js';
import { dropoutStreams, type Learner, type TrainingPosition, visit } from '../learner.js';
import type { SequenceEncoder } from './encoder.js';

export interface SequenceLearnerOptions {
  learningRate: number;
  weightDecay: number;
  /** `bce`: one uniform negative per target (the original); `softmax`: cross-entropy over the catalog. */
  loss: 'bce' | 'softmax';
}

/** Most logits of a part: 256 MiB of float32, and as much again for their gradients. */
const MOST_LOGITS = 2 ** 26;

export class SequenceLearner implements Learner {
  /** Sequence and number of each chunk. */
  readonly #chunks: { sequence: number; index: number }[] = [];
  readonly #sequences: Sequence[];

  constructor(
    readonly model: SequenceEncoder,
    sequences: Iterable<Sequence>,
    readonly options: SequenceLearnerOptions,
  ) {
    this.#sequences = [...sequences].filter((sequence) => sequence.items.length > 1);
    const L = model.options.maxHistory;
    for (const [sequence, { items }] of this.#sequences.entries()) {
      const count = Math.ceil((items.length - 1 + L - 1) / L);
      for (let index = 0; index < count; index++) this.#chunks.push({ sequence, index });
    }
  }

  get name(): string {
    return this.model.method;
  }

  get examples(): number {
    return this.#chunks.length;
  }

  parameterGroups(): ParameterGroup[] {
    const { learningRate, weightDecay } = this.options;
    return [
      {
        name: this.name,
        parameters: new Map(this.model.namedParameters()),
        learningRate,
        weightDecay,
      },
    ];
  }

  state(): Map<string, Tensor> {
    return new Map(this.model.namedTensors());
  }

  countTargets(examples: readonly number[], position: TrainingPosition): number {
    return examples.reduce((total, example) => {
      const [start, end] = this.#range(example, position);
      return total + Math.max(0, end - start);
    }, 0);
  }

  /** All at once, unless long chunks and a large catalog make more logits than a part may have. */
  cut(examples: readonly number[], position: TrainingPosition): number[][] {
    const most = MOST_LOGITS / this.model.options.catalogSize;
    const parts: number[][] = [];
    let targets = Number.POSITIVE_INFINITY;
    for (const example of examples) {
      const own = this.countTargets([example], position);
      if (targets + own > most) {
        parts.push([]);
        targets = 0;
      }
      parts.at(-1)?.push(example);
      targets += own;
    }
    return parts;
  }

  loss(batch: readonly number[], position: TrainingPosition): Tensor {
    const { model } = this;
    // A chunk beyond the end of its sequence, as the offset has it, would be computed for nothing.
    const filled = batch.filter((example) => this.countTargets([example], position) > 0);
    const examples = filled.length > 0 ? filled : batch;
    const { catalogSize: N } = model.options;
    const ranges = examples.map((example) => this.#range(example, position));
    const L = Math.max(1, ...ranges.map(([start, end]) => end - start));
    const B = examples.length;
    const inputs = new BigInt64Array(B * L).fill(BigInt(N));
    const places: bigint[] = [];
    const targets: bigint[] = [];
    const negatives: bigint[] = [];
    for (const [b, example] of examples.entries()) {
      const { row, epoch } = visit(example, this);
      const { sequence } = this.#chunks[row] as { sequence: number };
      const { items } = this.#sequences[sequence] as Sequence;
      const [start, end] = ranges[b] as [number, number];
      const random = new Random(position.seed, `${this.name}-negatives`, epoch, row);
      for (let t = start; t < end; t++) {
        const place = b * L + (t - start);
        inputs[place] = BigInt(items[t] as number);
        places.push(BigInt(place));
        targets.push(BigInt(items[t + 1] as number));
        if (this.options.loss === 'bce') negatives.push(BigInt(this.#negative(items, random)));
      }
    }
    const there = (ids: bigint[] | BigInt64Array, shape?: number[]): Tensor =>
      toDevice(Tensor.from(BigInt64Array.from(ids), shape), model.device);
    const dropout = dropoutStreams(position, examples, model.device);
    const states_BLS = model.forward(there(inputs, [B, L]), { dropout });
    const flat = reshape(states_BLS, [B * L, states_BLS.shape[2] as number]);
    const logits_XN = model.logits(indexSelect(flat, 0, there(places)));
    if (this.options.loss === 'softmax')
      return crossEntropy(logits_XN, there(targets), { reduction: 'sum' });
    const scoresOf = (ids: bigint[]): Tensor => gather(logits_XN, 1, there(ids, [ids.length, 1]));
    const place = { dtype: logits_XN.dtype, device: model.device };
    const ones = full([targets.length, 1], 1, place);
    const zeros = full([targets.length, 1], 0, place);
    return add(
      sum(binaryCrossEntropy(scoresOf(targets), ones)),
      sum(binaryCrossEntropy(scoresOf(negatives), zeros)),
    );
  }

  /** A uniform item that does not occur in the sequence. */
  #negative(items: Int32Array, random: Random): number {
    const N = this.model.options.catalogSize;
    for (let tries = 0; ; tries++) {
      const item = random.int(N);
      if (tries > 100 || !items.includes(item)) return item;
    }
  }

  /** Places [start, end) whose next items are the chunk's targets; empty at the ends of a sequence. */
  #range(example: number, { seed }: TrainingPosition): [number, number] {
    const { row, epoch } = visit(example, this);
    const { sequence, index } = this.#chunks[row] as { sequence: number; index: number };
    const L = this.model.options.maxHistory;
    const last = (this.#sequences[sequence] as Sequence).items.length - 1;
    const offset = new Random(seed, `${this.name}-offset`, epoch, sequence).int(L);
    const start = Math.max(0, index * L - offset);
    return [Math.min(start, last), Math.min(Math.max(0, (index + 1) * L - offset), last)];
  }
}
