/**
 * ★ The frozen base with its adapter: tokens, item slots and histories → log-probabilities of the tokens asked for.
 *
 * Training (in one thread or several), scoring and generation all go through here.
 */
import { internal } from '../../errors/index.js';
import type { KvCache, Llama } from '../../llama/index.js';
import type { GateUse } from '../../lora/index.js';
import type { Pass, Recomputation } from '../../nn/index.js';
import {
  indexCopy,
  indexSelect,
  logSoftmax,
  narrow,
  noGrad,
  type RowStreams,
  reshape,
  Tensor,
  toDevice,
  widen,
} from '../../tensor/index.js';
import type { Encoder, ItemVectors } from '../capability.js';
import type { Adapter } from './adapter.js';
import { type Layout, treeMask } from './layout.js';
import type { Reading, TextTables } from './streaming/reading.js';
import type { VectorTable } from './vector-table.js';

export interface ModelParts {
  base: Llama;
  /** Absent: the base as it is, with prompts of text only. */
  adapter?: Adapter;
  /** Frozen; gives representations for the gate, and vectors for the slots unless `vectors` does. */
  encoder?: Encoder;
  /** Where the vectors of the slots come from, if not from the encoder. */
  vectors?: VectorTable;
  /** How histories are laid out, and what is known of the items' texts; for next-item prediction. */
  reading?: Reading;
  texts?: TextTables;
}

/** What training brings to a forward pass. */
export interface ForwardOptions {
  /** Source of dropout masks, a stream per row; absent in evaluation. */
  dropout?: RowStreams;
  /** Weights of the experts; by default those that evaluation gives the histories. */
  gates_BE?: Tensor;
  /** Keeps layers' inputs in place of their activations. */
  recomputation?: Recomputation;
  /** Keys and values of the first tokens of the only row, which are not read again; the others are added. */
  cache?: KvCache;
}

export class AdaptedModel {
  /** @throws IloraError `internal` where a gate or a projector has nothing behind it */
  constructor(readonly parts: ModelParts) {
    const { adapter, encoder } = parts;
    if (adapter?.gate !== undefined && encoder === undefined)
      throw internal('a gate needs an encoder');
    if (adapter?.projector !== undefined && this.#vectors === undefined)
      throw internal('a projector needs vectors of items');
  }

  /** What fills the slots. */
  get #vectors(): ItemVectors | undefined {
    return this.parts.vectors ?? this.parts.encoder;
  }

  /** Weights of the experts per history, [B, E]; undefined without a gate. */
  gates(histories: readonly (readonly number[])[], use?: GateUse): Tensor | undefined {
    const { adapter, encoder } = this.parts;
    if (adapter?.gate === undefined || encoder === undefined) return undefined;
    const representation_BS = noGrad(() => encoder.represent(histories));
    return adapter.gate.forward(representation_BS, use);
  }

  /**
   * Log-probabilities of all predictions of a layout, in its order.
   * @param histories one per row, for the gate
   */
  logProbabilities(
    layout: Layout,
    histories: readonly (readonly number[])[],
    { dropout, recomputation, cache, gates_BE = this.gates(histories) }: ForwardOptions = {},
  ): {
    logProbabilities_X: Tensor;
    gates_BE?: Tensor;
  } {
    const { base } = this.parts;
    const { T } = layout;
    const pass: Pass = {
      ...(gates_BE && { gates_BE: recomputation?.leaf(gates_BE) ?? gates_BE }),
      ...(dropout && { dropout }),
      ...(recomputation && { recomputation }),
    };
    const known = cache?.length ?? 0;
    const unread = (x: Tensor, axis: number): Tensor =>
      known === 0 ? x : narrow(x, axis, known, T - known);
    const states_UD = base.forward(unread(this.embed(layout), 1), {
      pass,
      states: layout.states.map((place) => place - known),
      ...(cache && { cache }),
      ...((layout.isTree || known > 0) && {
        positions: layout.positions.slice(known),
        mask: unread(treeMask(layout, base), 2),
      }),
    });
    const logs_UV = logSoftmax(widen(base.logits(states_UD)), -1);
    const V = base.config.vocabSize;
    const picks = layout.predictions.map(({ state, token }) => state * V + token);
    return {
      logProbabilities_X: indexSelect(reshape(logs_UV, [-1]), 0, this.#index(picks)),
      ...(gates_BE && { gates_BE }),
    };
  }

  /** Token embeddings with the item slots filled in, [B, T, D]. */
  embed({ B, T, ids, slots }: Layout): Tensor {
    const { base, adapter } = this.parts;
    const vectors = this.#vectors;
    const embedded_BTD = base.embed(toDevice(Tensor.from(ids, [B, T]), base.device));
    if (slots.items.length === 0 || adapter?.projector === undefined || vectors === undefined)
      return embedded_BTD;
    const vectors_XM = noGrad(() => vectors.itemVectors(slots.items));
    const slots_XD = adapter.projector.forward(vectors_XM, base.dtype);
    const flat = reshape(embedded_BTD, [B * T, base.config.hiddenSize]);
    return reshape(indexCopy(flat, 0, this.#index(slots.places), slots_XD), [
      B,
      T,
      base.config.hiddenSize,
    ]);
  }

  #index(places: readonly number[]): Tensor {
    return toDevice(Tensor.from(places, undefined, 'int64'), this.parts.base.device);
  }
}
