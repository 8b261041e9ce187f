/**
 * ★ The next-item objective: at every item of a sequence, the next one among the whole catalog.
 *
 * Learning: -log softmax of the next item's score, among all items that training has, at every place of a chunk of a
 * training sequence. So a pass over the data costs one pass over its items, where a title's likelihood costs a prompt
 * for each. Scoring: products with the items' vectors.
 */
import type { Sequence } from '../../../data/index.js';
import { Random } from '../../../random/index.js';
import {
  add,
  cast,
  cat,
  crossEntropy,
  detach,
  indexSelect,
  linear,
  maskedFill,
  mul,
  noGrad,
  reshape,
  sub,
  sum,
  Tensor,
  toDevice,
  topk,
  unsqueeze,
} from '../../../tensor/index.js';
import type { Scored } from '../../capability.js';
import { dropoutStreams, type TrainingPosition } from '../../learner.js';
import { cutCheaply } from '../layout.js';
import { StreamingModel } from '../streaming/streaming-model.js';
import type { Examples, LossOptions, Objective } from './objective.js';
import { PopularitySampler, type RivalOptions, type Rivals } from './rivals.js';

/** Chunks of sequences with the item after each of theirs. */
export interface ChunkBatch {
  histories: readonly (readonly number[])[];
  /** As many as the history has items, one step on. */
  targets: readonly (readonly number[])[];
  /** Items whose encoder vectors are taken for missing in this step. */
  missing: readonly number[];
  rivals: Rivals;
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
  { histories, targets, missing, rivals }: ChunkBatch,
  { position, examples }: LossOptions,
): Tensor {
  const { device } = model.parts.base;
  const dropout = dropoutStreams(position, examples, device);
  const { states_XS, encoded_XS } = model.states(histories, 'all', { dropout, missing });
  const items = targets.flat();
  const there = (ids: readonly number[], shape: readonly number[]): Tensor =>
    toDevice(Tensor.from(ids, shape, 'int64'), device);
  if (rivals.kind === 'catalog')
    return crossEntropy(model.trainingLogits(states_XS, missing), there(items, [items.length]), {
      reduction: 'sum',
    });
  const X = items.length;
  const first = there(new Array<number>(X).fill(0), [X]);
  const { vectors_NS, bias_N } = model.itemOutputs(missing);
  const scoresOf = (ids_XC: Tensor): Tensor => {
    const [rows, C] = ids_XC.shape as [number, number];
    const flat = reshape(ids_XC, [rows * C]);
    const picked_XCS = reshape(indexSelect(vectors_NS, 0, flat), [rows, C, vectors_NS.axis(1)]);
    const products_XC = sum(mul(picked_XCS, unsqueeze(states_XS, 1)), [2]);
    return bias_N === undefined
      ? products_XC
      : add(products_XC, reshape(indexSelect(bias_N, 0, flat), [rows, C]));
  };
  if (rivals.kind === 'list') {
    const hard =
      rivals.hard === 0
        ? []
        : hardRivals(model, encoded_XS, rivals.hard, { ...position, examples, targets });
    const lists = items.flatMap((item, x) => {
      const own = [...(rivals.uniform[x] as readonly number[]), ...(hard[x] ?? [])];
      return [item, ...own];
    });
    const ids_XC = there(lists, [X, lists.length / X]);
    return crossEntropy(withoutRepeats(scoresOf(ids_XC), lists), first, { reduction: 'sum' });
  }
  const Z = rivals.items.length;
  const ids_Z = there(rivals.items, [Z]);
  const bias_Z = bias_N === undefined ? undefined : indexSelect(bias_N, 0, ids_Z);
  const sampled_XZ = linear(states_XS, indexSelect(vectors_NS, 0, ids_Z), bias_Z);
  const logExpected_1Z = toDevice(
    Tensor.from(Float64Array.from(rivals.logExpected), [1, Z]),
    device,
  );
  const others_XZ = sub(sampled_XZ, cast(logExpected_1Z, sampled_XZ.dtype));
  const lists = items.flatMap((item) => [item, ...rivals.items]);
  return crossEntropy(
    withoutRepeats(cat([scoresOf(there(items, [X, 1])), others_XZ], 1), lists),
    first,
    {
      reduction: 'sum',
    },
  );
}

/** Scores of lists [X, C], in which the target stands first; where it stands again, it is no rival of itself. */
function withoutRepeats(scores_XC: Tensor, lists: readonly number[]): Tensor {
  const [X, C] = scores_XC.shape as [number, number];
  const isRepeat = new Uint8Array(X * C);
  for (let x = 0; x < X; x++)
    for (let c = 1; c < C; c++) isRepeat[x * C + c] = Number(lists[x * C + c] === lists[x * C]);
  const mask = cast(toDevice(Tensor.from(isRepeat, [X, C]), scores_XC.device), 'bool');
  return maskedFill(scores_XC, mask, Number.NEGATIVE_INFINITY);
}

/** Items among which hard rivals are drawn: those that the encoder likes best. */
const HARDEST = 100;

/** For each place of each example some of the items that the encoder likes best there. */
function hardRivals(
  model: StreamingModel,
  encoded_XS: Tensor,
  count: number,
  {
    seed,
    step,
    examples,
    targets,
  }: Pick<TrainingPosition, 'seed' | 'step'> & {
    examples: readonly number[];
    targets: ChunkBatch['targets'];
  },
): number[][] {
  const k = Math.min(HARDEST, model.catalogSize);
  const best = noGrad(() => topk(model.encoderLogits(detach(encoded_XS)), k).indices.toNumbers());
  let x = 0;
  return targets.flatMap(({ length }, i) => {
    const random = new Random(seed, 'next-item-hard', step, examples[i] as number);
    return Array.from({ length }, () => {
      const first = k * x++;
      return Array.from({ length: count }, () => best[first + random.int(k)] as number);
    });
  });
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
  /** Whether items of the same time, whose order says nothing, are put in another one in each pass. */
  shufflesTies?: boolean;
  /** What targets are held against; the whole catalog by default. */
  rivals?: RivalOptions;
}

/**
 * Chunks of at most L places that cover each sequence. A sequence longer than L is cut at an offset that is drawn anew
 * in each pass; where that leaves its last chunk empty, a window from anywhere in it is taken instead.
 */
export class ChunkExamples implements Examples<ChunkBatch> {
  readonly #chunks: { sequence: number; index: number }[] = [];
  readonly #sequences: Sequence[];
  /** Items that the sequences have, in ascending order. */
  readonly #known: readonly number[];
  #sampler: PopularitySampler | undefined;

  constructor(
    sequences: Iterable<Sequence>,
    readonly options: ChunkOptions,
  ) {
    this.#sequences = [...sequences].filter(({ items }) => items.length > 1);
    const known = new Set<number>();
    for (const { items } of this.#sequences) for (const item of items) known.add(item);
    this.#known = [...known].sort((a, b) => a - b);
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
    const targets = chunks.map(({ items, start, end }) =>
      Array.from(items.subarray(start + 1, end + 1)),
    );
    return {
      histories: chunks.map(({ items, start, end }) => Array.from(items.subarray(start, end))),
      targets,
      missing: this.#missing(position),
      rivals: this.#rivals(examples, targets, position),
    };
  }

  /** A sample is the step's; a list is its place's. Both have items of training only. */
  #rivals(
    examples: readonly number[],
    targets: readonly (readonly number[])[],
    { seed, step }: TrainingPosition,
  ): Rivals {
    const { rivals = { kind: 'catalog' } } = this.options;
    if (rivals.kind === 'catalog') return rivals;
    if (rivals.kind === 'list') {
      const hard = Math.round(rivals.hardShare * rivals.count);
      const known = this.#known;
      const uniform = targets.flatMap(({ length }, i) => {
        const random = new Random(seed, 'next-item-rivals', step, examples[i] as number);
        return Array.from({ length }, () =>
          Array.from(
            { length: rivals.count - hard },
            () => known[random.int(known.length)] as number,
          ),
        );
      });
      return { kind: 'list', uniform, hard };
    }
    const items = this.#popular.draw(rivals.count, new Random(seed, 'next-item-sample', step));
    return {
      kind: 'sample',
      items,
      logExpected: items.map((item) => this.#popular.logExpected(item, rivals.count)),
    };
  }

  get #popular(): PopularitySampler {
    this.#sampler ??= new PopularitySampler(this.#sequences, this.options.catalogSize);
    return this.#sampler;
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
    const items = this.#itemsOf(sequence, pass, seed);
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

  /** A sequence in this pass: items of the same time stand in an order of their own in each. */
  #itemsOf(sequence: number, pass: number, seed: number): Int32Array {
    const { items, times } = this.#sequences[sequence] as Sequence;
    if (this.options.shufflesTies !== true || times === undefined) return items;
    const random = new Random(seed, 'next-item-ties', pass, sequence);
    const shuffled = items.slice();
    for (let start = 0; start < items.length; ) {
      let end = start + 1;
      while (end < items.length && times[end] === times[start]) end++;
      if (end - start > 1) shuffled.set(random.shuffle([...items.subarray(start, end)]), start);
      start = end;
    }
    return shuffled;
  }
}
