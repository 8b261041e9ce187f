/**
 * ★ The next-item objective: at every item of a sequence, the next one among the whole catalog.
 *
 * Learning: -log softmax of the next item's score at every place of a chunk of a training sequence. So a pass over
 * the data costs one pass over its items, where a title's likelihood costs a prompt for each. Scoring: products with
 * the items' vectors.
 */
import type { Sequence } from '../../../data/index.js';
import { Random } from '../../../random/index.js';
import { crossEntropy, Tensor, toDevice } from '../../../tensor/index.js';
import type { Scored } from '../../capability.js';
import { dropoutStreams, type TrainingPosition } from '../../learner.js';
import { cutCheaply } from '../layout.js';
import { StreamingModel } from '../streaming/streaming-model.js';
import type { Examples, LossOptions, Objective } from './objective.js';

/** Chunks of sequences with the item after each of theirs. */
export interface ChunkBatch {
  histories: readonly (readonly number[])[];
  /** As many as the history has items, one step on. */
  targets: readonly (readonly number[])[];
  /** Items whose encoder vectors are taken for missing in this step. */
  missing: readonly number[];
}

/** Histories with the candidates to be scored after each. */
export interface StreamTask {
  histories: readonly (readonly number[])[];
  candidates: readonly (readonly number[])[];
}

export const nextItem: Objective<StreamingModel, ChunkBatch, StreamTask> = {
  name: 'next-item',
  model: (parts) => new StreamingModel(parts),
  loss: nextItemLoss,
  score: scoreItems,
};

/** Sum over all places, in nats, with its gradient history. */
export function nextItemLoss(
  model: StreamingModel,
  { histories, targets, missing }: ChunkBatch,
  { position, examples }: LossOptions,
): Tensor {
  const { device } = model.parts.base;
  const dropout = dropoutStreams(position, examples, device);
  const { states_XS } = model.states(histories, 'all', { dropout, missing });
  const wanted = toDevice(Tensor.from(targets.flat(), undefined, 'int64'), device);
  return crossEntropy(model.logits(states_XS, missing), wanted, { reduction: 'sum' });
}

/** Scores of the candidates after the histories' last items. */
export function scoreItems(model: StreamingModel, { histories, candidates }: StreamTask): Scored[] {
  const { states_XS, gates_XE } = model.states(histories, 'last');
  const N = model.catalogSize;
  const logits = model.logits(states_XS).toNumbers();
  const gates = gates_XE?.toNumbers();
  const E = gates === undefined ? 0 : gates.length / histories.length;
  return candidates.map((items, b) => ({
    scores: items.map((item) => logits[b * N + item] as number),
    ...(gates && { gates: gates.slice(b * E, (b + 1) * E) }),
  }));
}

export interface ChunkOptions {
  /** L */
  maxHistory: number;
  /** N */
  catalogSize: number;
  /** Tokens, padding included, that go through the model at once. */
  batchTokens: number;
  /** Positions that a history of so many items takes, about. */
  positionsOf: (items: number) => number;
  /** Probability that an item's encoder vectors are missing in a step. */
  vectorDropout: number;
}

/**
 * Chunks of at most L places that cover each sequence. A sequence longer than L is cut at an offset that is drawn anew
 * in each pass; where that leaves its last chunk empty, a window from anywhere in it is taken instead.
 */
export class ChunkExamples implements Examples<ChunkBatch> {
  readonly #chunks: { sequence: number; index: number }[] = [];
  readonly #sequences: Sequence[];

  constructor(
    sequences: Iterable<Sequence>,
    readonly options: ChunkOptions,
  ) {
    this.#sequences = [...sequences].filter(({ items }) => items.length > 1);
    const { maxHistory: L } = options;
    for (const [sequence, { items }] of this.#sequences.entries()) {
      const places = items.length - 1;
      const count = places <= L ? 1 : Math.ceil(places / L) + 1;
      for (let index = 0; index < count; index++) this.#chunks.push({ sequence, index });
    }
  }

  get count(): number {
    return this.#chunks.length;
  }

  history(example: number, position: TrainingPosition): readonly number[] {
    const { items, start, end } = this.#chunk(example, position);
    return Array.from(items.subarray(start, end));
  }

  countTargets(examples: readonly number[], position: TrainingPosition): number {
    return examples.reduce((total, example) => {
      const { start, end } = this.#chunk(example, position);
      return total + end - start;
    }, 0);
  }

  /** Parts of chunks of like length. */
  cut(examples: readonly number[], position: TrainingPosition, workers: number): number[][] {
    const { batchTokens: tokens, positionsOf } = this.options;
    const lengths = examples.map((example) => positionsOf(this.countTargets([example], position)));
    return cutCheaply(lengths, { tokens, workers }).map((part) =>
      part.map((i) => examples[i] as number),
    );
  }

  batch(examples: readonly number[], position: TrainingPosition): ChunkBatch {
    const chunks = examples.map((example) => this.#chunk(example, position));
    return {
      histories: chunks.map(({ items, start, end }) => Array.from(items.subarray(start, end))),
      targets: chunks.map(({ items, start, end }) =>
        Array.from(items.subarray(start + 1, end + 1)),
      ),
      missing: this.#missing(position),
    };
  }

  /** The same for all parts of a step. */
  #missing({ seed, step }: TrainingPosition): number[] {
    const { vectorDropout, catalogSize } = this.options;
    if (vectorDropout === 0) return [];
    const random = new Random(seed, 'next-item-missing', step);
    const missing: number[] = [];
    for (let item = 0; item < catalogSize; item++)
      if (random.uniform() < vectorDropout) missing.push(item);
    return missing;
  }

  /** Places [start, end) of a sequence whose next items are the targets; at least one. */
  #chunk(
    example: number,
    { seed }: TrainingPosition,
  ): { items: Int32Array; start: number; end: number } {
    const row = example % this.count;
    const pass = Math.floor(example / this.count);
    const { sequence, index } = this.#chunks[row] as { sequence: number; index: number };
    const { items } = this.#sequences[sequence] as Sequence;
    const { maxHistory: L } = this.options;
    const places = items.length - 1;
    if (places <= L) return { items, start: 0, end: places };
    const offset = new Random(seed, 'next-item-offset', pass, sequence).int(L);
    const start = Math.max(0, index * L - offset);
    const end = Math.min((index + 1) * L - offset, places);
    if (start < end) return { items, start, end };
    const from = new Random(seed, 'next-item-window', pass, sequence).int(places - L + 1);
    return { items, start: from, end: from + L };
  }
}
