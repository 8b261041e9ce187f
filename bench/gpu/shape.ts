/**
 * Models of known shapes with random weights, and a made-up dataset for them: what a machine without network has.
 */

import { type DatasetDraft, RowRanges, SequenceStore, writeDataset } from '../../src/data/index.js';
import { Llama } from '../../src/llama/index.js';
import { Random } from '../../src/random/index.js';
import type { Base } from '../../src/recommenders/index.js';
import {
  type Device,
  type DType,
  full,
  Generator,
  keep,
  mul,
  noGrad,
  prepareDevice,
  randn,
  scope,
  type Tensor,
  toDevice,
} from '../../src/tensor/index.js';
import type { Tokenizer } from '../../src/text/index.js';
import { countParameters, type ModelConfig } from '../../src/weights/index.js';
import { expectedShapes } from '../../src/weights/model-config.js';

/** Sizes of a model, for reckoning useful operations. */
export interface Facts {
  nonEmbeddingParameters: number;
  adapterParameters: number;
  vocabulary: number;
  width: number;
  keyValueWidth: number;
  innerWidth: number;
}

const common = {
  architecture: 'LlamaForCausalLM',
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  maxPositions: 4096,
  attentionBias: false,
  eosTokenIds: [2],
} as const;

/** By name, as in `--shapes`. */
export const SHAPES = {
  tiny: {
    ...common,
    vocabSize: 32_000,
    hiddenSize: 64,
    intermediateSize: 160,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 16,
    tieWordEmbeddings: true,
  },
  'smollm2-135m': {
    ...common,
    vocabSize: 49_152,
    hiddenSize: 576,
    intermediateSize: 1536,
    numLayers: 30,
    numHeads: 9,
    numKvHeads: 3,
    headDim: 64,
    tieWordEmbeddings: true,
  },
  'llama2-7b': {
    ...common,
    vocabSize: 32_000,
    hiddenSize: 4096,
    intermediateSize: 11_008,
    numLayers: 32,
    numHeads: 32,
    numKvHeads: 32,
    headDim: 128,
    tieWordEmbeddings: false,
  },
} satisfies Record<string, ModelConfig>;

export type ShapeName = keyof typeof SHAPES;

/** A model of random weights, drawn where it computes so that 7 billion take seconds; the tiny one is the same everywhere. */
export function randomBase(shape: ShapeName, device: Device, dtype: DType): Base {
  prepareDevice(device);
  const config: ModelConfig = SHAPES[shape];
  const shapes = expectedShapes(config);
  const isSame = shape === 'tiny';
  const generator = new Generator(7, isSame ? 'cpu' : device);
  const draw = (size: readonly number[]): Tensor => {
    if (size.length === 1) return toDevice(full(size, 1), device, dtype); // a norm
    const values = randn(size, generator, isSame ? 'float32' : dtype);
    return toDevice(mul(values, isSame ? 0.1 : 0.02), device, dtype);
  };
  const load = (key: string): Tensor =>
    keep(noGrad(() => scope(() => draw(shapes.get(key) as readonly number[]))));
  return { model: new Llama(config, load), tokenizer: words, path: shape, dtype };
}

/** Words and signs as ids by their letters; a newline is 1. The same ids in every shape. */
const words = {
  bosId: 0,
  encode: (text: string): number[] =>
    (text.match(/\n| ?[A-Za-z]+| ?\d+|[^\sA-Za-z\d]/g) ?? []).map((word) => {
      if (word === '\n') return 1;
      let hash = 7;
      for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 999_983;
      return 3 + (hash % (SHAPES.tiny.vocabSize - 3));
    }),
  decode: (ids: readonly number[]): string => ids.join(' '),
} as unknown as Tokenizer;

/** A dataset of 64 users over 500 items whose titles make prompts about as long as MovieLens' ones. */
export async function writeMadeUpDataset(folder: string): Promise<void> {
  const random = new Random(3, 'gpu-bench');
  const word = (): string =>
    Array.from({ length: 5 }, () => String.fromCharCode(97 + random.int(26))).join('');
  const title = (): string => Array.from({ length: 5 + random.int(9) }, word).join(' ');
  const sequences = new SequenceStore(true);
  const draft: DatasetDraft = {
    name: 'made-up',
    origin: 'made for a benchmark',
    licence: 'none',
    citation: '',
    titles: 'raw',
    splitRule: { rule: 'by-hand' },
    window: { minHistory: 3, maxHistory: 10 },
    items: Array.from({ length: 500 }, (_, id) => {
      const name = title();
      return { id, title: name, sourceTitle: name, sourceId: String(id), attributes: {} };
    }),
    sequences,
    train: new RowRanges(),
    validation: new RowRanges(),
    test: new RowRanges(),
    dropped: {},
    notes: [],
  };
  for (let user = 0; user < 64; user++) {
    const items = [...random.permutation(500).slice(0, 20)];
    sequences.add(
      `u${user}`,
      items,
      items.map((_, i) => i),
    );
    const split = user === 62 ? draft.validation : user === 63 ? draft.test : draft.train;
    split.add({ sequence: user, first: 3, last: 19 });
  }
  await writeDataset(folder, draft);
}

/** What operations are reckoned from, for a LoRA of some rank on all seven projections. */
export function factsOf(config: ModelConfig, rank: number): Facts {
  const { hiddenSize: D, intermediateSize: F, numHeads, numKvHeads, headDim, numLayers } = config;
  const [Q, G] = [numHeads * headDim, numKvHeads * headDim];
  const perRank = 2 * (D + Q) + 2 * (D + G) + 3 * (D + F);
  return {
    nonEmbeddingParameters: countParameters(config).nonEmbedding,
    adapterParameters: rank * numLayers * perRank,
    vocabulary: config.vocabSize,
    width: D,
    keyValueWidth: G,
    innerWidth: F,
  };
}
