/**
 * Items' texts as the language model takes them: tokens and vectors.
 */
import type { Catalog } from '../../../data/index.js';
import type { Llama } from '../../../llama/index.js';
import {
  indexSelect,
  keep,
  mean,
  noGrad,
  scope,
  Tensor,
  toDevice,
  widen,
} from '../../../tensor/index.js';
import { attributeLine, type TextEncoder } from '../../../text/index.js';
import type { TextTables } from './reading.js';

/** An item in words: its title, and its attributes where it has any and they are wanted. */
export function itemTexts({ items }: Catalog, withAttributes: boolean): string[] {
  return items.map(({ title, attributes }) => {
    const line = withAttributes ? attributeLine(attributes) : undefined;
    return line === undefined ? title : `${title} (${line})`;
  });
}

/** Tokens of each text as they stand inside a sentence. */
export function textTokens(texts: readonly string[], tokenizer: TextEncoder): number[][] {
  return texts.map((text) => tokenizer.encode(` ${text}`, { isContinuation: true }));
}

/** Mean token embeddings, as they are for slots and standardised for the scores; they live until disposed. */
export function textTables(tokens: readonly (readonly number[])[], base: Llama): TextTables {
  const N = tokens.length;
  const D = base.config.hiddenSize;
  const means = new Float32Array(N * D);
  noGrad(() => {
    for (const [i, ids] of tokens.entries())
      scope(() => {
        const at = toDevice(Tensor.from(ids, undefined, 'int64'), base.device);
        const rows = widen(indexSelect(base.embedTokens.weight, 0, at));
        means.set(mean(rows, [0]).toNumbers(), i * D);
      });
  });
  const there = (values: Float32Array): Tensor =>
    keep(toDevice(Tensor.from(values, [N, D]), base.device));
  return { slots_ND: there(means), outputs_ND: there(standardised(means, N, D)) };
}

/** Every column with mean 0 and deviation 1. */
function standardised(values: Float32Array, N: number, D: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let d = 0; d < D; d++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < N; i++) sum += values[i * D + d] as number;
    const center = sum / N;
    for (let i = 0; i < N; i++) squares += ((values[i * D + d] as number) - center) ** 2;
    const deviation = Math.sqrt(squares / N + 1e-12);
    for (let i = 0; i < N; i++)
      out[i * D + d] = ((values[i * D + d] as number) - center) / deviation;
  }
  return out;
}
