/**
 * The work of a benchmark as files that every contestant reads.
 *
 *   work.json            what is below
 *   base/                config.json and model.safetensors (float32) for transformers
 *   ilora.safetensors    adapters by the keys of `ilora`, before the first step
 *   lora.safetensors
 *   items.safetensors    SASRec's vectors of all items, [N, M]
 */
import type { LayoutRow } from '../../src/recommenders/index.js';
import type { Facts } from '../gpu/shape.js';
import type { WorldOptions } from './world.js';

/** One instance as token ids. */
export interface WorkRow {
  ids: number[];
  /** Places of `ids` that stand for an item's vector. */
  slots: { position: number; item: number }[];
  /** Tokens of the target's title and the end of the line. */
  answer: number[];
  /** SASRec's state after the history, for the gate. */
  representation: number[];
  /** Tokens of every candidate's title; only in rows to be ranked. */
  candidates?: number[][];
}

/** The contents of work.json. */
export interface Work {
  world: WorldOptions;
  adapter: Record<string, unknown>;
  rates: { lora: number; gate: number; projector: number; weightDecay: number };
  clipNorm: number;
  /** Batch i is what step i of the trainer sees. */
  batches: WorkRow[][];
  /** Rows of the test split. */
  ranked: WorkRow[];
  facts: Facts;
}

export const WORK_FILE = 'work.json';

/** Tokens a row puts through the model: the last one of its answer is only predicted. */
export const rowTokens = ({ ids, answer }: WorkRow): number => ids.length + answer.length - 1;

export const workRow = (
  { prompt, continuations }: LayoutRow,
  representation: number[],
): WorkRow => ({
  ids: prompt.ids,
  slots: prompt.slots,
  answer: [...(continuations[0] ?? [])],
  representation,
});
