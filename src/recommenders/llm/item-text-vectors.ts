/**
 * Vectors of texts from the frozen base, for what knows items by their titles.
 *
 * The base reads each text by itself. As it is causal, padding behind a text changes nothing before it, so that a text's
 * vector does not depend on its batch.
 */
import { mismatch } from '../../errors/index.js';
import type { Llama } from '../../llama/index.js';
import {
  atMost,
  cast,
  cat,
  dims,
  div,
  indexSelect,
  matmul,
  mean,
  mul,
  noGrad,
  reshape,
  scope,
  sqrt,
  square,
  sub,
  Tensor,
  toDevice,
  where,
  zerosLike,
} from '../../tensor/index.js';
import type { TextEncoder } from '../../text/index.js';
import { turn } from '../turn.js';

/** Options of {@link itemTextVectors}. */
export interface TextVectorOptions {
  /**
   * - `embeddings`: the mean of the embeddings of a text's tokens;
   * - `states`: the mean over a text's tokens of the states behind the first layers and the last norm. A base that
   *   begins texts with a token of its own gets it; its state is not part of the mean.
   */
  kind: 'embeddings' | 'states';
  /** K: layers that `states` go through; by default all. */
  layers?: number;
  /** Tokens of a batch, padding included; a longer text is a batch of its own. */
  batchTokens?: number;
  signal?: AbortSignal | undefined;
  /** Told how many texts are done. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What gives the vectors; a `Base` is one. */
export interface TextReader {
  model: Llama;
  tokenizer: TextEncoder;
}

interface Text {
  index: number;
  ids: number[];
}

/**
 * A vector of each text.
 *
 * @param texts in any order; each has at least one token
 * @returns vectors_ND, float32, on the base's device, in the order of the texts; computed in the base's dtype
 * @throws IloraError `data` for a text without tokens or beyond the base's positions, `usage` for no texts or for
 *   layers that the base does not have; AbortError
 */
export async function itemTextVectors(
  { model, tokenizer }: TextReader,
  texts: readonly string[],
  { kind, layers, batchTokens = 2048, signal, onProgress }: TextVectorOptions,
): Promise<Tensor> {
  const given = 'itemTextVectors(texts)';
  if (texts.length === 0) throw mismatch('usage', { where: given, expected: 'a text', got: texts });
  const all = texts.map((text, index): Text => {
    const ids = tokenizer.encode(text);
    if (ids.length === 0)
      throw mismatch('data', { where: `${given}[${index}]`, expected: 'tokens', got: text });
    return { index, ids };
  });
  const start = kind === 'states' && tokenizer.bosId !== undefined ? [tokenizer.bosId] : [];
  all.sort((a, b) => a.ids.length - b.ids.length || a.index - b.index);
  const parts: Tensor[] = [];
  try {
    let done = 0;
    for (const batch of batchesOf(all, start.length, batchTokens)) {
      await turn(signal);
      parts.push(
        noGrad(() =>
          scope(() => {
            const { ids_BT, shares_B1T } = padded(batch, start, model);
            const embedded_BTD = model.embed(ids_BT);
            const hidden_BTD =
              kind === 'embeddings'
                ? embedded_BTD
                : model.forward(embedded_BTD, layers === undefined ? {} : { layers });
            const mean_B1D = matmul(shares_B1T, cast(hidden_BTD, 'float32'));
            return reshape(mean_B1D, [batch.length, model.config.hiddenSize]);
          }),
        ),
      );
      done += batch.length;
      onProgress?.(done, texts.length);
    }
    const place = new Int32Array(texts.length);
    for (const [sorted, { index }] of all.entries()) place[index] = sorted;
    return noGrad(() =>
      scope(() => indexSelect(cat(parts, 0), 0, onDevice(Array.from(place), 'int64', model))),
    );
  } finally {
    for (const part of parts) part.dispose();
  }
}

/** Texts of similar length together; they come by length. */
function* batchesOf(texts: readonly Text[], extra: number, most: number): Generator<Text[]> {
  let batch: Text[] = [];
  for (const text of texts) {
    const width = text.ids.length + extra;
    if (batch.length > 0 && (batch.length + 1) * width > most) {
      yield batch;
      batch = [];
    }
    batch.push(text);
  }
  yield batch;
}

/** Tokens with padding on the right, and the share of each place in its text's mean: zero for what is no text. */
function padded(
  batch: readonly Text[],
  start: readonly number[],
  model: Llama,
): { ids_BT: Tensor; shares_B1T: Tensor } {
  const B = batch.length;
  const T = start.length + Math.max(...batch.map(({ ids }) => ids.length));
  const ids = new Array<number>(B * T).fill(0);
  const shares = new Array<number>(B * T).fill(0);
  for (const [b, text] of batch.entries()) {
    for (const [t, id] of [...start, ...text.ids].entries()) {
      ids[b * T + t] = id;
      if (t >= start.length) shares[b * T + t] = 1 / text.ids.length;
    }
  }
  return {
    ids_BT: reshape(onDevice(ids, 'int64', model), [B, T]),
    shares_B1T: reshape(onDevice(shares, 'float32', model), [B, 1, T]),
  };
}

function onDevice(
  values: readonly number[],
  dtype: 'int64' | 'float32',
  { device }: Llama,
): Tensor {
  return toDevice(Tensor.from(values, undefined, dtype), device);
}

/** A column whose deviation is a smaller part of its size is constant but for rounding. */
const LEAST_DEVIATION = 1e-6;

/**
 * Vectors with mean 0 and deviation 1 in each column, over the rows: x' = (x − mean) / deviation. Columns that are
 * constant become zeros.
 *
 * @param vectors_ND of a floating type
 * @returns a new tensor of the same shape
 * @throws ShapeError unless it has two axes
 */
export function standardised(vectors_ND: Tensor): Tensor {
  dims('standardised(vectors)', vectors_ND, 'N D');
  return noGrad(() =>
    scope(() => {
      const centred_ND = sub(vectors_ND, mean(vectors_ND, [0], true));
      const deviation_1D = sqrt(mean(square(centred_ND), [0], true));
      const size_1D = sqrt(mean(square(vectors_ND), [0], true));
      const isConstant_1D = atMost(deviation_1D, mul(size_1D, LEAST_DEVIATION));
      const scaled_ND = div(centred_ND, deviation_1D);
      return where(isConstant_1D, zerosLike(scaled_ND), scaled_ND);
    }),
  );
}
