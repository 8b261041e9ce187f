/**
 * ★ Streaming iLoRA: the frozen base reads a history item by item; every item's position predicts the next item.
 *
 * x_t = mean of the text's token embeddings + Proj(v_item) at an item's slot
 * ω_t = softmax(W_g z_t), z_t the encoder's state after item t: the experts of the history up to t
 * v, o and bias of an item that training never has: what its words let expect (regressed-vectors.ts)
 * h_t = the base's normed state after K layers; u_t = W h_t + b (+ a z_t)
 * score of item i after t = u_t · (o_i + T_i P / √D) + bias_i, with o and bias the encoder's own outputs
 *
 * Differs from iLoRA (Kong et al., NeurIPS 2024), which has one gate per sequence: here a gate is a function of a
 * prefix. A gate of the whole sequence would tell earlier positions of later targets. It also makes what is computed
 * for a position independent of all that follows, so a growing history costs its new positions only.
 */
import { internal } from '../../../errors/index.js';
import type { KvCache } from '../../../llama/index.js';
import { Dropout, type Pass } from '../../../nn/index.js';
import {
  add,
  cast,
  cat,
  clone,
  full,
  indexCopy,
  indexSelect,
  keep,
  linear,
  maskedFill,
  mean,
  narrow,
  noGrad,
  type RowStreams,
  reshape,
  scope,
  Tensor,
  toDevice,
  where,
  widen,
} from '../../../tensor/index.js';
import type { Encoder, ItemOutputs } from '../../capability.js';
import type { ModelParts } from '../adapted-model.js';
import type { Adapter } from '../adapter.js';
import type { ItemHead } from './head.js';
import { layOutStream, type Reading, type StreamLayout, type TextTables } from './reading.js';
import { regressedVectors } from './regressed-vectors.js';

export interface StreamOptions {
  /** Source of dropout masks, a stream per history; absent in evaluation. */
  dropout?: RowStreams;
  /** Items whose encoder vectors are taken for missing, beside those that were never trained. */
  missing?: readonly number[];
  /** Keys and values of the items of the only history that were read before; the others are added. */
  memory?: { cache: KvCache; items: number };
  /** Histories, as long as those that are read, whose gates are taken instead; a control. */
  gatesOf?: readonly (readonly number[])[];
}

interface StreamParts {
  base: ModelParts['base'];
  adapter: Adapter;
  encoder: Encoder;
  reading: Reading;
  texts: TextTables;
}

/** States in the space of the scores. */
export interface StreamStates {
  layout: StreamLayout;
  /** After every item asked for, row by row; [X, S] in float32. */
  states_XS: Tensor;
  /** The encoder's states at these, [X, S]. */
  encoded_XS: Tensor;
  /** Weights of the experts at these, [X, E], means over the layers; undefined without a gate over the history. */
  gates_XE?: Tensor;
}

export class StreamingModel {
  readonly parts: StreamParts;
  readonly #head: ItemHead;
  readonly #inputDropout: Dropout;
  #perItem: number | undefined;
  /** `itemOutputs` of weights that will not change any more. */
  #settled: ItemOutputs | undefined;
  /** What the frozen encoder's vectors, outputs and biases of all items are by their words, [N, M + S + 1]. */
  #regressed: Tensor | undefined;
  readonly #unknown: readonly number[];

  /** @throws IloraError `internal` if a part is missing */
  constructor({ base, adapter, encoder, reading, texts }: ModelParts) {
    const head = adapter?.head;
    if (!adapter || !encoder || !reading || !texts || !head)
      throw internal('streaming needs an adapter with a head, an encoder, a reading and texts');
    this.parts = { base, adapter, encoder, reading, texts };
    this.#head = head;
    this.#inputDropout = new Dropout(adapter.options.inputDropout ?? 0);
    const { counts } = reading;
    this.#unknown = Array.from(counts.keys()).filter((item) => counts[item] === 0);
  }

  /** N */
  get catalogSize(): number {
    return this.parts.texts.slots_ND.axis(0);
  }

  /** Positions that a history of so many items takes, about. */
  positionsOf(items: number): number {
    const { instruction, texts } = this.parts.reading;
    this.#perItem ??= texts === undefined ? 1 : 1 + meanLength(texts);
    return Math.ceil(instruction.length + items * this.#perItem);
  }

  /**
   * @param histories item ids, oldest first; at least one item each and at most the reading's
   * @param asked     places whose states are wanted: every item's, or each history's last
   */
  states(
    histories: readonly (readonly number[])[],
    asked: 'all' | 'last',
    { dropout, missing = [], memory, gatesOf }: StreamOptions = {},
  ): StreamStates {
    const { base, adapter, reading } = this.parts;
    const layout = layOutStream(histories, reading, this.catalogSize);
    const { B, T, L } = layout;
    const ids_BL = this.#there(layout.items, [B, L]);
    const encoded_BLS = this.#encoded(ids_BL, dropout);
    const S = encoded_BLS.axis(2);
    const flat_XS = reshape(encoded_BLS, [B * L, S]);

    const gates = this.#gates(
      gatesOf === undefined ? flat_XS : this.#statesOf(gatesOf, layout, dropout),
      layout,
    );
    if (memory !== undefined && reading.gateOf === 'sequence')
      throw internal('with a gate of the whole sequence no past stays valid');
    const known = memory === undefined ? 0 : T - newPlaces(layout, memory.items);
    const unread = (x: Tensor): Tensor => (known === 0 ? x : narrow(x, 1, known, T - known));
    const pass: Pass = {
      ...(gates && { gates_BE: unread(gates) }),
      ...(dropout && { dropout }),
    };
    const isPart = known > 0 && T - known > 1;
    const read_BTD = this.#inputDropout.forward(unread(this.#embed(layout, missing)), pass);
    const { layers } = adapter.options;
    const through = (): Tensor =>
      base.forward(read_BTD, {
        ...{ pass, layers },
        ...(memory && { cache: memory.cache }),
        ...(isPart && { mask: this.#maskAfter(known, T) }),
      });
    const hidden_BTD = widen(layers === 0 ? read_BTD : through());
    const places = asked === 'all' ? layout.slots : lastSlots(histories, layout);
    const flat_PS = indexSelect(flat_XS, 0, this.#index(upTo(layout, known)));
    const encodedHere_BTS = reshape(flat_PS, [B, T - known, S]);
    const mapped_BTS = this.#head.forward(hidden_BTD, encodedHere_BTS, pass);
    const width = T - known;
    const index = this.#index(places.map((place) => place - (Math.floor(place / T) + 1) * known));
    const at = (x: Tensor): Tensor => indexSelect(reshape(x, [B * width, x.axis(2)]), 0, index);
    return {
      layout,
      states_XS: at(mapped_BTS),
      encoded_XS: at(encodedHere_BTS),
      ...(gates && { gates_XE: this.#overLayers(at(unread(gates))) }),
    };
  }

  /** What the base reads at items' slots, [X, D]. */
  slots(items: readonly number[], missing: readonly number[] = []): Tensor {
    const { base, adapter, encoder, texts } = this.parts;
    const index = this.#index(items);
    const words_XD = cast(indexSelect(texts.slots_ND, 0, index), base.dtype);
    if (adapter.projector === undefined) return words_XD;
    const isMissing_N1 = this.#missing(missing);
    let vectors_XM =
      adapter.encoder === undefined
        ? noGrad(() => encoder.itemVectors(items))
        : adapter.encoder.itemVectors(items);
    if (isMissing_N1 !== undefined) {
      const isMissing_X1 = indexSelect(isMissing_N1, 0, index);
      const expected_NM = this.#byWords().vectors_NM;
      const instead_XM = add(indexSelect(expected_NM, 0, index), this.#head.missingSlot);
      vectors_XM = where(isMissing_X1, instead_XM, vectors_XM);
    }
    return add(words_XD, adapter.projector.forward(vectors_XM, base.dtype));
  }

  /** Takes the weights for final: what follows from them alone is computed once. `dispose` frees it. */
  settle(): void {
    this.dispose();
    this.#settled = noGrad(() =>
      scope(() => {
        const { vectors_NS, bias_N } = this.itemOutputs();
        return {
          vectors_NS: keep(clone(vectors_NS)),
          ...(bias_N && { bias_N: keep(clone(bias_N)) }),
        };
      }),
    );
  }

  dispose(): void {
    this.#settled?.vectors_NS.dispose();
    this.#settled?.bias_N?.dispose();
    this.#settled = undefined;
    this.#regressed?.dispose();
    this.#regressed = undefined;
  }

  /** What states are multiplied with: the encoder's own, with what the texts add. */
  itemOutputs(missing: readonly number[] = []): ItemOutputs {
    if (this.#settled !== undefined && missing.length === 0) return this.#settled;
    const { texts } = this.parts;
    const known = this.#encoder.outputs();
    const own = this.#orByWords(known, missing);
    const words_NS = this.#head.textOutputs(texts.outputs_ND);
    if (words_NS === undefined) return own;
    return { ...own, vectors_NS: add(own.vectors_NS, words_NS) };
  }

  /** Scores of all items, [X, S] → [X, N]. */
  logits(states_XS: Tensor, missing: readonly number[] = []): Tensor {
    const { vectors_NS, bias_N } = this.itemOutputs(missing);
    return linear(states_XS, vectors_NS, bias_N);
  }

  /**
   * `logits` to learn from: items that training never has are no rivals of the targets, [X, N] with -∞ at theirs. They
   * would only be learned to be always wrong, and with them the words that they have.
   */
  trainingLogits(states_XS: Tensor, missing: readonly number[]): Tensor {
    const logits_XN = this.logits(states_XS, missing);
    const isUnknown_N1 = this.#among(this.#unknown);
    if (isUnknown_N1 === undefined) return logits_XN;
    const isUnknown_1N = reshape(isUnknown_N1, [1, this.catalogSize]);
    return maskedFill(logits_XN, isUnknown_1N, Number.NEGATIVE_INFINITY);
  }

  /** Scores of all items by the encoder alone, [X, S] → [X, N]. */
  encoderLogits(encoded_XS: Tensor): Tensor {
    const { vectors_NS, bias_N } = this.#encoder.outputs();
    return linear(encoded_XS, vectors_NS, bias_N);
  }

  /** The encoder: a copy that is trained along, or the frozen one. */
  get #encoder(): Encoder {
    return this.parts.adapter.encoder ?? this.parts.encoder;
  }

  #encoded(ids_BL: Tensor, dropout: RowStreams | undefined): Tensor {
    const { adapter, encoder } = this.parts;
    if (adapter.encoder === undefined) return noGrad(() => encoder.forward(ids_BL));
    return adapter.encoder.forward(ids_BL, { ...(dropout && { dropout }) });
  }

  /** States of other histories of the same lengths, [B·L, S]. */
  #statesOf(
    others: readonly (readonly number[])[],
    { B, L, slotItems }: StreamLayout,
    dropout: RowStreams | undefined,
  ): Tensor {
    const { items, slotItems: own } = layOutStream(others, this.parts.reading, this.catalogSize);
    if (others.length !== B || own.length !== slotItems.length || items.length !== B * L)
      throw internal('gates of histories that are not as long as those that are read');
    const encoded_BLS = this.#encoded(this.#there(items, [B, L]), dropout);
    return reshape(encoded_BLS, [B * L, encoded_BLS.axis(2)]);
  }

  /** Weights of the experts at every place, [B, T, E] or in groups [B, T, G·E]; alike before the first item. */
  #gates(encoded_XS: Tensor, { B, T, readUpTo }: StreamLayout): Tensor | undefined {
    const { gate } = this.parts.adapter;
    if (gate === undefined) return undefined;
    const { experts: E, groups: G } = gate;
    const gates_XE = gate.forward(encoded_XS);
    const place = { dtype: gates_XE.dtype, device: gates_XE.device };
    const all_XE = cat([full([1, G * E], 1 / E, place), gates_XE], 0);
    const isShared = this.parts.reading.gateOf === 'sequence';
    const index = isShared ? lastReads({ B, T, readUpTo }) : Array.from(readUpTo, (x) => x + 1);
    return reshape(indexSelect(all_XE, 0, this.#index(index)), [B, T, G * E]);
  }

  /** Means over a gate's groups, [X, G·E] → [X, E]. */
  #overLayers(gates_XE: Tensor): Tensor {
    const { groups: G = 1, experts: E = 1 } = this.parts.adapter.gate ?? {};
    return G === 1 ? gates_XE : mean(reshape(gates_XE, [gates_XE.axis(0), G, E]), [1]);
  }

  #embed({ B, T, ids, slots, slotItems }: StreamLayout, missing: readonly number[]): Tensor {
    const { base } = this.parts;
    const D = base.config.hiddenSize;
    const flat = reshape(base.embed(this.#there(ids, [B, T])), [B * T, D]);
    const slots_XD = this.slots(slotItems, missing);
    return reshape(indexCopy(flat, 0, this.#index(slots), slots_XD), [B, T, D]);
  }

  /** The encoder's outputs; of items without vectors what their words let expect, and what training adds to it. */
  #orByWords(own: ItemOutputs, missing: readonly number[]): ItemOutputs {
    const isMissing_N1 = this.#missing(missing);
    if (isMissing_N1 === undefined) return own;
    const expected = this.#byWords();
    const instead_NS = add(expected.outputs_NS, this.#head.missingOutput);
    const { bias_N } = own;
    return {
      vectors_NS: where(isMissing_N1, instead_NS, own.vectors_NS),
      ...(bias_N && {
        bias_N: where(reshape(isMissing_N1, [this.catalogSize]), expected.bias_N, bias_N),
      }),
    };
  }

  /** Vectors, outputs and biases of all items by their words alone. */
  #byWords(): { vectors_NM: Tensor; outputs_NS: Tensor; bias_N: Tensor } {
    const { encoder, texts, reading } = this.parts;
    const [M, S] = [encoder.width, encoder.representationWidth];
    this.#regressed ??= noGrad(() =>
      scope(() => {
        const all = encoder.itemVectors(Array.from({ length: this.catalogSize }, (_, i) => i));
        const { vectors_NS, bias_N } = encoder.outputs();
        const bias_N1 =
          bias_N === undefined
            ? full([this.catalogSize, 1], 0, { dtype: vectors_NS.dtype, device: vectors_NS.device })
            : reshape(bias_N, [this.catalogSize, 1]);
        const vectors_NX = cat([all, vectors_NS, bias_N1], 1);
        return keep(regressedVectors(texts.outputs_ND, vectors_NX, reading.counts));
      }),
    );
    const part = (start: number, width: number): Tensor =>
      cast(narrow(this.#regressed as Tensor, 1, start, width), this.#head.missingOutput.dtype);
    return {
      vectors_NM: part(0, M),
      outputs_NS: part(M, S),
      bias_N: reshape(part(M + S, 1), [this.catalogSize]),
    };
  }

  /** Which items have no vectors of their own, bool [N, 1]; undefined where all have. */
  #missing(missing: readonly number[]): Tensor | undefined {
    return this.#among([...this.#unknown, ...missing]);
  }

  /** Which items are among these, bool [N, 1]; undefined where there are none. */
  #among(items: readonly number[]): Tensor | undefined {
    if (items.length === 0) return undefined;
    const flags = new Uint8Array(this.catalogSize);
    for (const item of items) flags[item] = 1;
    return cast(this.#there(flags, [flags.length, 1]), 'bool');
  }

  /** The mask of new places after `known` ones of a single history, [1, 1, T - known, T]. */
  #maskAfter(known: number, T: number): Tensor {
    const U = T - known;
    const values = new Float32Array(U * T);
    for (let u = 0; u < U; u++)
      values.fill(Number.NEGATIVE_INFINITY, u * T + known + u + 1, (u + 1) * T);
    const { device, dtype } = this.parts.base;
    return toDevice(Tensor.from(values, [1, 1, U, T]), device, dtype);
  }

  #index(places: readonly number[]): Tensor {
    return this.#there(BigInt64Array.from(places, BigInt), [places.length]);
  }

  #there(values: BigInt64Array | Uint8Array, shape: readonly number[]): Tensor {
    return toDevice(Tensor.from(values, [...shape]), this.parts.base.device);
  }
}

function meanLength(texts: readonly (readonly number[])[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0) / texts.length;
}

/** Positions behind the first `items` items of a single history. */
function newPlaces({ T, slots }: StreamLayout, items: number): number {
  return items === 0 ? T : T - ((slots[items - 1] as number) + 1);
}

/** For every place the last item of its row, counted from 1. */
function lastReads({ B, T, readUpTo }: Pick<StreamLayout, 'B' | 'T' | 'readUpTo'>): number[] {
  return Array.from({ length: B * T }, (_, place) => {
    const last = (Math.floor(place / T) + 1) * T - 1;
    return (readUpTo[last] as number) + 1;
  });
}

/** Place of the last item of each history. */
function lastSlots(histories: readonly (readonly number[])[], { slots }: StreamLayout): number[] {
  let end = 0;
  return histories.map(({ length }) => {
    end += length;
    return slots[end - 1] as number;
  });
}

/** For the places from `known` on of each row: the last item read; the first item where none is. */
function upTo({ B, T, L, readUpTo }: StreamLayout, known: number): number[] {
  return Array.from({ length: B }, (_, b) =>
    Array.from({ length: T - known }, (_, t) => {
      const place = readUpTo[b * T + known + t] as number;
      return place < 0 ? b * L : place;
    }),
  ).flat();
}
