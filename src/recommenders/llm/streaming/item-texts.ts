/**
 * Items' texts as the language model takes them: tokens and vectors.
 */
import type { Catalog } from '../../../data/index.js';
import type { Llama } from '../../../llama/index.js';
import {
  cast,
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
import { standardised } from '../item-text-vectors.js';
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
  return noGrad(() =>
    scope(() => {
      const slots_ND = Tensor.from(means, [N, D]);
      // Reckoned in double and rounded once.
      const outputs_ND = cast(standardised(cast(slots_ND, 'float64')), 'float32');
      const there = (table_ND: Tensor): Tensor => keep(toDevice(table_ND, base.device));
      return { slots_ND: there(slots_ND), outputs_ND: there(outputs_ND) };
    }),
  );
}
