/**
 * How a history is laid out for next-item prediction: an instruction, then one or more positions per item.
 */
import type { Tensor } from '../../../tensor/index.js';

/** All that is fixed about it, as plain data. */
export interface Reading {
  /** Tokens before the first item. */
  instruction: readonly number[];
  /** Tokens of each item's text, which stand before its slot in the long form; in the compact one there are none. */
  texts?: readonly (readonly number[])[];
  /** L: most items that are read at once. */
  maxHistory: number;
  /** By how many items the first one that is read moves, once a history is longer than L; from 1 to L. */
  step: number;
  /**
   * `prefix` (default): each place has the experts of the history up to it. `sequence`: all have those of the whole
   * history, as in the paper. In training that tells a place of its own target; it is for comparison only.
   */
  gateOf?: 'prefix' | 'sequence';
  /** How often training has each item. Vectors of those it never has were not trained, so only their words count. */
  counts: readonly number[];
}

/** Vectors of the items' texts, in float32; frozen. */
export interface TextTables {
  /** Added at slots: mean token embeddings. */
  slots_ND: Tensor;
  /** For the scores: standardised. */
  outputs_ND: Tensor;
}

/**
 * From which item on a history of so many items is read. The start moves in steps. With long ones the same items of a
 * growing history stay in view for long, and what was computed for them stays valid; with steps of 1 the last L items
 * are always read, and each new item of a full window is read with all others anew.
 */
export function readFrom(
  length: number,
  { maxHistory, step }: Pick<Reading, 'maxHistory' | 'step'>,
): number {
  if (length <= maxHistory) return 0;
  return Math.ceil((length - maxHistory) / step) * step;
}

/** Histories as one batch of T positions, padded on the right. */
export interface StreamLayout {
  B: number;
  T: number;
  /** L: items of the longest history. */
  L: number;
  /** Token ids, [B, T]; 0 at slots and padding. */
  ids: BigInt64Array;
  /** Items [B, L], padded with N. */
  items: BigInt64Array;
  /** Places (b·T + t) of the slots, row by row. */
  slots: number[];
  /** Items at these. */
  slotItems: number[];
  /** For each place (b·T + t) the place (b·L + l) of the last item read before or at it; -1 before the first. */
  readUpTo: Int32Array;
}

/** @param histories each at most L items, at least one */
export function layOutStream(
  histories: readonly (readonly number[])[],
  { instruction, texts }: Pick<Reading, 'instruction' | 'texts'>,
  catalogSize: number,
): StreamLayout {
  const B = histories.length;
  const lengthOf = (item: number): number => 1 + (texts?.[item]?.length ?? 0);
  const total = (history: readonly number[]): number =>
    history.reduce((sum, item) => sum + lengthOf(item), instruction.length);
  const T = Math.max(...histories.map(total));
  const L = Math.max(...histories.map(({ length }) => length));
  const layout: StreamLayout = {
    B,
    T,
    L,
    ids: new BigInt64Array(B * T),
    items: new BigInt64Array(B * L).fill(BigInt(catalogSize)),
    slots: [],
    slotItems: [],
    readUpTo: new Int32Array(B * T).fill(-1),
  };
  for (const [b, history] of histories.entries()) {
    let place = b * T;
    for (const token of instruction) layout.ids[place++] = BigInt(token);
    for (const [l, item] of history.entries()) {
      layout.items[b * L + l] = BigInt(item);
      for (const token of texts?.[item] ?? []) {
        layout.ids[place] = BigInt(token);
        layout.readUpTo[place++] = l === 0 ? -1 : b * L + l - 1;
      }
      layout.slots.push(place);
      layout.slotItems.push(item);
      layout.readUpTo[place++] = b * L + l;
    }
    // Padding is read by nobody; it has the gate of the last item.
    while (place < (b + 1) * T) layout.readUpTo[place++] = b * L + history.length - 1;
  }
  return layout;
}
