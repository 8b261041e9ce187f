/** Models small enough to be run many times, with weights that depend on a seed alone. */

import type { Dataset, Instance } from '../../src/data/index.js';
import { Llama } from '../../src/llama/index.js';
import {
  Adapter,
  type AdapterOptions,
  LlmRecommender,
  SASRec,
  type SASRecOptions,
} from '../../src/recommenders/index.js';
import { modelParts } from '../../src/recommenders/llm/description.js';
import type { HeadOptions } from '../../src/recommenders/llm/streaming/head.js';
import { textTables, textTokens } from '../../src/recommenders/llm/streaming/item-texts.js';
import type { Reading } from '../../src/recommenders/llm/streaming/reading.js';
import { StreamingRecommender } from '../../src/recommenders/llm/streaming/streaming-recommender.js';
import { cast, type DType, Generator, keep, mul, randn } from '../../src/tensor/index.js';
import { openPromptTemplate, PromptBuilder, type TextEncoder } from '../../src/text/index.js';
import { expectedShapes, type ModelConfig } from '../../src/weights/model-config.js';
import { fill_ } from './numeric.js';

/** Two layers, four query heads on two key/value heads. */
export const tinyConfig: ModelConfig = {
  architecture: 'LlamaForCausalLM',
  vocabSize: 64,
  hiddenSize: 16,
  intermediateSize: 24,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 4,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  maxPositions: 512,
  tieWordEmbeddings: false,
  attentionBias: false,
  eosTokenIds: [],
};

/** A random Llama; wide enough that every layer matters and that a loss can become small. */
export function tinyLlama({
  config = {},
  dtype = 'float32',
  seed = 1,
}: {
  config?: Partial<ModelConfig>;
  dtype?: DType;
  seed?: number;
} = {}): Llama {
  const full = { ...tinyConfig, ...config };
  const shapes = expectedShapes(full);
  const generator = new Generator(seed);
  return new Llama(full, (key) => {
    const shape = shapes.get(key) as readonly number[];
    const isTable = /^(embed_tokens|lm_head)/.test(key);
    const scale = isTable ? 1 : 1.5 / Math.sqrt(shape.at(-1) as number);
    return keep(cast(mul(randn(shape, generator, 'float64'), scale), dtype));
  });
}

export const tinySasrecOptions: SASRecOptions = {
  catalogSize: 12,
  maxHistory: 6,
  width: 8,
  blocks: 2,
  heads: 2,
  dropout: 0,
  preset: 'modern',
};

/** A random SASRec over 12 items; its parts are drawn wide so that representations differ. */
export function tinySasrec(options: Partial<SASRecOptions> = {}, seed = 2): SASRec {
  const model = new SASRec({ ...tinySasrecOptions, ...options }, new Generator(seed));
  fill_(model.items.weight, seed + 1, 0.5);
  return model;
}

/** Splits into words with their leading space and signs; each word is one of 64 ids, a newline is 1. */
export const wordEncoder: TextEncoder = {
  bosId: 0,
  encode: (text) =>
    (text.match(/\n| ?[A-Za-z]+| ?\d+|[^\sA-Za-z\d]/g) ?? []).map((word) => {
      if (word === '\n') return 1;
      let hash = 7;
      for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 9973;
      return 2 + (hash % 62);
    }),
  decode: (ids) => ids.map((id) => `<${id}>`).join(''),
};

const WORDS = ['Red', 'Blue', 'Night', 'River', 'Stone'];

/** One to four words per title, so that candidates differ in length. */
export const titles: readonly string[] = Array.from({ length: 12 }, (_, item) =>
  Array.from({ length: 1 + (item % 4) }, (_, i) => WORDS[(item + 2 * i) % 5])
    .concat(String(item))
    .join(' '),
);

export const tinyAdapterOptions: AdapterOptions = {
  kind: 'ilora',
  rank: 4,
  alpha: 8,
  dropout: 0,
  targets: ['q_proj', 'v_proj', 'down_proj'],
  experts: 2,
  scaleBy: 'total-rank',
  gate: 'linear',
  hasSlots: true,
};

/** What the tiny SASRec gives an adapter. */
export const tinyWidths = { representation: 8, items: 8 };

/** A tiny iLoRA with `up` matrices that are not zero, so that the adapter matters. */
export function tinyIlora({
  adapter: options = {},
  dtype = 'float32',
  batchTokens = 1 << 20,
}: {
  adapter?: Partial<AdapterOptions>;
  dtype?: DType;
  batchTokens?: number;
} = {}): LlmRecommender & { parts: { adapter: Adapter; encoder: SASRec } } {
  const base = tinyLlama({ dtype });
  const encoder = tinySasrec().to('cpu', dtype).freeze();
  const adapter = new Adapter(base, { ...tinyAdapterOptions, ...options }, tinyWidths, 5).to(
    'cpu',
    dtype,
  );
  let seed = 100;
  for (const [key, tensor] of adapter.namedTensors())
    if (key.endsWith('.up')) fill_(tensor, seed++, 0.3);
  const made = new LlmRecommender({
    name: 'ilora',
    base,
    objective: 'title-likelihood',
    prompts: new PromptBuilder(
      wordEncoder,
      titles.map((title) => ({ title })),
      openPromptTemplate('movie'),
    ),
    adapter,
    encoder,
    batchTokens,
  });
  return made as ReturnType<typeof tinyIlora>;
}

/** Instances over the tiny catalog with histories and candidate lists of different lengths. */
export const tinyInstances: readonly Instance[] = [
  { split: 'test', row: 0, user: 'a', history: [0, 1, 2], target: 3, candidates: [5, 3, 8] },
  {
    split: 'test',
    row: 1,
    user: 'b',
    history: [4, 9, 10, 11, 6],
    target: 7,
    candidates: [7, 0, 1, 2],
  },
  { split: 'test', row: 2, user: 'c', history: [8], target: 2, candidates: [2, 6] },
  {
    split: 'test',
    row: 3,
    user: 'd',
    history: [3, 5, 7, 1, 0, 2],
    target: 9,
    candidates: [11, 4, 9],
  },
];

/** As much of a dataset as a learner asks for. */
export const tinyDataset = {
  rows: () => tinyInstances.length,
  instance: (_split: string, row: number) => tinyInstances[row],
} as unknown as Dataset;

export const tinyHead: HeadOptions = {
  residual: true,
  readsTexts: true,
  dropout: 0,
};

/** A tiny streaming iLoRA whose adapter and head are not zero, so that every part matters. */
export function tinyStreaming({
  adapter: options = {},
  head = {},
  form = 'compact',
  reading: asked = {},
  dtype = 'float32',
  isFresh = false,
}: {
  adapter?: Partial<AdapterOptions>;
  head?: Partial<HeadOptions>;
  /** In the long one an item's title stands before its slot. */
  form?: 'compact' | 'long';
  reading?: Partial<Reading>;
  dtype?: DType;
  /** Leaves the values that training starts from. */
  isFresh?: boolean;
} = {}): StreamingRecommender & { parts: { adapter: Adapter; encoder: SASRec } } {
  const base = tinyLlama({ dtype });
  const encoder = tinySasrec().to('cpu', dtype).freeze();
  const tokens = textTokens(titles, wordEncoder);
  const tables = textTables(tokens, base);
  const texts = {
    slots_ND: keep(cast(tables.slots_ND, dtype)),
    outputs_ND: keep(cast(tables.outputs_ND, dtype)),
  };
  const reading: Reading = {
    instruction: [3, 5],
    ...(form === 'long' && { texts: tokens }),
    maxHistory: 6,
    step: 3,
    counts: new Array(titles.length).fill(5),
    ...asked,
  };
  const adapterOptions = { ...tinyAdapterOptions, head: { ...tinyHead, ...head }, ...options };
  const parts = modelParts({ adapter: adapterOptions, reading }, { base, encoder, texts, seed: 5 });
  const adapter = (parts.adapter as Adapter).to('cpu', dtype);
  let seed = 100;
  if (!isFresh)
    for (const [key, tensor] of adapter.namedTensors())
      if (key.endsWith('.up') || key.startsWith('head.')) fill_(tensor, seed++, 0.3);
  const made = new StreamingRecommender({
    name: 'streaming-ilora',
    objective: 'next-item',
    batchTokens: 1 << 20,
    ...parts,
    adapter,
  });
  return made as ReturnType<typeof tinyStreaming>;
}
