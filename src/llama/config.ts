/**
 * The shape of a Llama-family model.
 */

/** How rotary frequencies are stretched. */
export type RopeScaling =
  | { type: 'linear'; factor: number }
  | {
      type: 'llama3';
      factor: number;
      lowFreqFactor: number;
      highFreqFactor: number;
      originalMaxPositions: number;
    }
  /** One divisor per pair of features, as GGUF files store Llama-3's scaling. */
  | { type: 'factors'; factors: readonly number[] };

export interface LlamaConfig {
  /** V */
  vocabSize: number;
  /** D */
  hiddenSize: number;
  /** F */
  intermediateSize: number;
  numLayers: number;
  /** H */
  numHeads: number;
  /** G; divides H */
  numKvHeads: number;
  /** K */
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling?: RopeScaling;
  /** Longest sequence the model was trained for, in tokens. */
  maxPositions: number;
  /** Whether the output layer shares the embedding table. */
  tieWordEmbeddings: boolean;
  attentionBias?: boolean;
}
