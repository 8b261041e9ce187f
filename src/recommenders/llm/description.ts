/**
 * ★ A language-model method as plain data: what it is made from, but its tensors. It can cross a thread; the model
 * of the main thread and those of other threads are made from it alike.
 */
import { internal } from '../../errors/index.js';
import type { Llama } from '../../llama/index.js';
import type { PromptTemplate } from '../../text/index.js';
import type { Encoder, EncoderDescription } from '../capability.js';
import type { ModelParts } from './adapted-model.js';
import { Adapter, type AdapterOptions } from './adapter.js';
import type { Reading, TextTables } from './streaming/reading.js';
import type { VectorTable } from './vector-table.js';

export interface LlmDescription {
  /** Of its method. */
  name: string;
  /** Name of the objective. */
  objective: string;
  /** How queries are put into words, by objectives that prompt. */
  prompt?: PromptTemplate;
  /** How histories are laid out, by objectives that predict the next item. */
  reading?: Reading;
  /** What is trained around the base; absent: nothing. */
  adapter?: AdapterOptions;
  /** What stands behind gate and slots. */
  encoder?: EncoderDescription;
  /** Items of a history that a prompt shows, the last ones; all by default. */
  maxHistory?: number;
  /** Tokens, padding included, that go through the model at once. */
  batchTokens: number;
}

/** What a description is filled with. */
export interface LlmFilling {
  base: Llama;
  encoder?: Encoder;
  /** Where the vectors of the slots come from, if not from the encoder. */
  vectors?: VectorTable;
  /** Vectors of the items' texts, for next-item prediction. */
  texts?: TextTables;
  /** Of the adapter's fresh values. */
  seed: number;
}

/** The parts of a model: a fresh adapter on the base, with what stands behind it. */
export function modelParts(
  { adapter: options, reading }: Pick<LlmDescription, 'adapter' | 'reading'>,
  { base, encoder, vectors, texts, seed }: LlmFilling,
): ModelParts {
  const items = vectors?.width ?? encoder?.width;
  const parts = {
    base,
    ...(encoder && { encoder }),
    ...(vectors && { vectors }),
    ...(reading && { reading }),
    ...(texts && { texts }),
  };
  if (options === undefined) return parts;
  if (items === undefined) throw internal('an adapter needs an encoder or vectors');
  const widths = { representation: encoder?.representationWidth ?? items, items };
  return { ...parts, adapter: new Adapter(base, options, widths, seed, encoder) };
}
