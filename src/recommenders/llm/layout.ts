/**
 * Lays prompts and their continuations out as one batch of tokens.
 *
 * A row is the prompt, then each continuation in turn. Every continuation sees the prompt and itself only, and counts
 * its positions on from the prompt. So scoring all candidates costs one prompt and the candidates' own tokens, and gives
 * what scoring each alone would give. With one continuation per row (training) the mask is plain causal order.
 */
import {
  and,
  arange,
  atMost,
  type Device,
  type DType,
  equal,
  full,
  or,
  Tensor,
  toDevice,
  unsqueeze,
  where,
} from '../../tensor/index.js';
import type { Prompt } from '../../text/index.js';

/** A batch of rows, padded on the right to T tokens. */
export interface Layout {
  B: number;
  T: number;
  /** Token ids, row-major [B, T]. */
  ids: BigInt64Array;
  /** Position of each token for the rotary embedding, row-major [B, T]. */
  positions: number[];
  /** 0 for the prompt, 1 ... C for continuations, -1 for padding; row-major [B, T]. */
  segments: Int32Array;
  /** Places (b·T + t) whose embedding is an item's vector, and the items. */
  slots: { places: number[]; items: number[] };
  /** Places of the states that predict something, without repeats. */
  states: number[];
  /** What is predicted: a token, by the state `states[state]`, for a continuation of a row. */
  predictions: { state: number; token: number; row: number; continuation: number }[];
  /** Whether any row has more than one continuation. */
  isTree: boolean;
}

/** One row: a prompt and the continuations to predict after it. */
export interface LayoutRow {
  prompt: Prompt;
  continuations: readonly (readonly number[])[];
}

/** Tokens a row takes: the last token of a continuation is only predicted. */
export function rowLength({ prompt, continuations }: LayoutRow): number {
  return prompt.ids.length + continuations.reduce((total, tokens) => total + tokens.length - 1, 0);
}

export function layOut(rows: readonly LayoutRow[]): Layout {
  const B = rows.length;
  const T = Math.max(...rows.map(rowLength));
  const layout: Layout = {
    B,
    T,
    ids: new BigInt64Array(B * T),
    positions: new Array<number>(B * T).fill(0),
    segments: new Int32Array(B * T).fill(-1),
    slots: { places: [], items: [] },
    states: [],
    predictions: [],
    isTree: rows.some((row) => row.continuations.length > 1),
  };
  for (const [row, { prompt, continuations }] of rows.entries()) {
    let place = row * T;
    const put = (token: number, position: number, segment: number): number => {
      layout.ids[place] = BigInt(token);
      layout.positions[place] = position;
      layout.segments[place] = segment;
      return place++;
    };
    for (const { position, item } of prompt.slots) {
      layout.slots.places.push(place + position);
      layout.slots.items.push(item);
    }
    for (const [position, token] of prompt.ids.entries()) put(token, position, 0);
    const P = prompt.ids.length;
    const promptState = layout.states.push(place - 1) - 1;
    for (const [continuation, tokens] of continuations.entries()) {
      let state = promptState;
      for (const [i, token] of tokens.entries()) {
        layout.predictions.push({ state, token, row, continuation });
        if (i < tokens.length - 1)
          state = layout.states.push(put(token, P + i, continuation + 1)) - 1;
      }
    }
  }
  return layout;
}

/**
 * The mask of a layout with several continuations, to be added to scores: [B, 1, T, T].
 * A token sees earlier tokens of the prompt and of its own continuation.
 */
export function treeMask(
  { B, T, segments }: Layout,
  { device, dtype }: { device: Device; dtype: DType },
): Tensor {
  const segments_BT = toDevice(Tensor.from(segments, [B, T]), device);
  const key_B1T = unsqueeze(segments_BT, 1);
  const query_BT1 = unsqueeze(segments_BT, 2);
  const order = arange(0, T, { device });
  const isEarlier_TT = atMost(unsqueeze(order, 0), unsqueeze(order, 1));
  const isAllowed = and(or(equal(key_B1T, 0), equal(key_B1T, query_BT1)), isEarlier_TT);
  const zero = full([1], 0, { device, dtype });
  const never = full([1], Number.NEGATIVE_INFINITY, { device, dtype });
  return unsqueeze(where(isAllowed, zero, never), 1);
}

/** Row numbers in batches of similar length, each at most `tokens` with its padding (or a single row). */
export function cutByTokens(rows: readonly LayoutRow[], tokens: number): number[][] {
  const lengths = rows.map(rowLength);
  const batches: number[][] = [];
  let longest = 0;
  for (const i of longestFirst(lengths)) {
    const last = batches.at(-1);
    if (last !== undefined && (last.length + 1) * longest <= tokens) last.push(i);
    else {
      batches.push([i]);
      longest = lengths[i] as number;
    }
  }
  return batches;
}

/** What a batch costs beside its tokens, in tokens: operators are started, adapters cast. */
const BATCH_COST = 50;

/**
 * Row numbers in batches of similar length that waste least: padding and the cost of a batch, together least, under
 * the bound on a batch's tokens (a single row may exceed it). With several workers no batch is larger than a worker's
 * share of the work.
 */
export function cutCheaply(
  lengths: readonly number[],
  { tokens, workers = 1 }: { tokens: number; workers?: number },
): number[][] {
  const order = longestFirst(lengths);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const most = workers === 1 ? tokens : Math.min(tokens, Math.ceil(total / workers));
  // least[i]: the least cost of the first i rows in order, the last of whose batches begins at from[i].
  const least = [0];
  const from = [0];
  for (let end = 1; end <= order.length; end++) {
    let best: { cost: number; start: number } | undefined;
    for (let start = end - 1; start >= 0; start--) {
      const padded = (end - start) * (lengths[order[start] as number] as number);
      if (padded > most && end - start > 1) break;
      const cost = (least[start] as number) + padded + BATCH_COST;
      if (best === undefined || cost < best.cost) best = { cost, start };
    }
    ({ cost: least[end], start: from[end] } = best as { cost: number; start: number });
  }
  const batches: number[][] = [];
  for (let end = order.length; end > 0; end = from[end] as number)
    batches.unshift(order.slice(from[end], end));
  return batches;
}

function longestFirst(lengths: readonly number[]): number[] {
  const of = (i: number): number => lengths[i] as number;
  return [...lengths.keys()].sort((a, b) => of(b) - of(a) || a - b);
}

/** Fewest tokens that fill a worker's products well enough. */
const FEWEST_TOKENS = 512;

/**
 * Tokens of each worker's batch. Together, several workers hold 1.5 times what one alone would. So each of two has
 * three quarters of that, which costs no speed that could be measured (docs/performance.md).
 */
export function tokensPerWorker(tokens: number, workers: number): number {
  if (workers === 1) return tokens;
  return Math.min(tokens, Math.max(FEWEST_TOKENS, Math.ceil((1.5 * tokens) / workers)));
}

/**
 * `cutByTokens` for workers that take batches in their order, each its next one when it is free: as many batches as
 * let all workers be done soonest.
 */
export function cutEvenly(rows: readonly LayoutRow[], most: number, workers: number): number[][] {
  const tokens = tokensPerWorker(most, workers);
  const least = cutByTokens(rows, tokens);
  if (workers === 1) return least;
  const lengths = rows.map(rowLength);
  let best: { batches: number[][]; end: number } | undefined;
  for (let turns = 0; turns < 3; turns++) {
    const count = (Math.ceil(least.length / workers) + turns) * workers;
    const batches = cutIntoAtMost(count, rows, tokens);
    const ends = new Array<number>(workers).fill(0);
    for (const batch of batches) {
      const next = ends.indexOf(Math.min(...ends));
      const longest = Math.max(...batch.map((i) => lengths[i] as number));
      ends[next] = (ends[next] as number) + batch.length * longest + BATCH_COST;
    }
    const end = Math.max(...ends);
    if (best === undefined || end < best.end) best = { batches, end };
  }
  return best?.batches ?? least;
}

/** `cutByTokens` with the smallest bound that needs no more batches. */
function cutIntoAtMost(count: number, rows: readonly LayoutRow[], tokens: number): number[][] {
  let [low, high] = [1, tokens];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (cutByTokens(rows, middle).length <= count) high = middle;
    else low = middle + 1;
  }
  return cutByTokens(rows, low);
}
