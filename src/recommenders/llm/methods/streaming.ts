/**
 * ★ Streaming iLoRA and its control, streaming LoRA: next-item prediction over whole sequences.
 */
import { z } from 'zod';
import { type Dataset, protocols } from '../../../data/index.js';
import { internal, mismatch } from '../../../errors/index.js';
import { LLAMA_PROJECTIONS } from '../../../lora/index.js';
import { overwrite } from '../../../nn/index.js';
import { Random } from '../../../random/index.js';
import {
  averagingShape,
  baseShape,
  defineMethod,
  type Model,
  type Parts,
  SELECTABLE,
  withMeant,
} from '../../method.js';
import type { AdapterOptions } from '../adapter.js';
import { modelParts } from '../description.js';
import { AdapterLearner } from '../llm-learner.js';
import { ChunkExamples } from '../objectives/next-item.js';
import type { RivalOptions } from '../objectives/rivals.js';
import { itemTexts, textTables, textTokens } from '../streaming/item-texts.js';
import type { Reading } from '../streaming/reading.js';
import { StreamingRecommender } from '../streaming/streaming-recommender.js';
import { needed } from './settings.js';

const positive = z.number().positive();
const count = z.int().positive();
const share = z.number().min(0).max(1);

const shape = {
  ...baseShape,
  reading: z
    .strictObject({
      instruction: z.string().default('Items so far:').describe('words before the first item'),
      form: z
        .enum(['compact', 'long'])
        .default('compact')
        .describe("compact: one position per item; long: the title's tokens, then that position"),
      attributes: z.boolean().default(false).describe('whether texts name the attributes of items'),
      titles: z
        .enum(['own', 'permuted'])
        .default('own')
        .describe("permuted: every item has another one's text, a control of what words tell"),
      maxHistory: count
        .optional()
        .describe("most items read at once; default: the dataset's window"),
      step: count
        .optional()
        .describe(
          'items by which the first one read moves, once a history is longer; default: half of max_history where that goes beyond the window, else 1',
        ),
    })
    .prefault({}),
  adapter: z
    .strictObject({
      layers: z
        .int()
        .min(0)
        .default(6)
        .describe("K: how many of the base's first layers are used; 0: none, as a control"),
      rank: count.default(8).describe('total rank; of experts: E·R'),
      alpha: positive.default(32),
      dropout: z.number().min(0).lt(1).default(0.1),
      inputDropout: z
        .number()
        .min(0)
        .lt(1)
        .default(0.2)
        .describe('share of the values read at items and words that are dropped in training'),
      targets: z
        .array(z.string())
        .min(1)
        .default([...LLAMA_PROJECTIONS])
        .describe('last names of the adapted linear layers'),
      experts: count.default(4).describe('E; must divide the rank'),
      scaleBy: z.enum(['total-rank', 'expert-rank']).default('total-rank'),
      gate: z.enum(['linear', 'conv']).default('linear'),
      gateFrom: z
        .enum(['history', 'state'])
        .default('history')
        .describe(
          "history: from the encoder's state; state: each layer has a gate that reads what the layer reads",
        ),
      gatePer: z
        .enum(['model', 'layer'])
        .default('model')
        .describe('one gate for all layers, or one for each; layer: of linear gates only'),
      gateTemperature: positive
        .default(1)
        .describe('of a linear gate over the history; below 1 its weights are sharper'),
      expertLayers: count
        .optional()
        .describe('layers with experts, counted from the last one used; default: all'),
      learningRate: positive.default(5e-4),
      gateRateShare: z.number().min(0).default(1),
      weightDecay: z.number().min(0).default(1e-5).describe('on gate, projector and head'),
      gateOf: z
        .enum(['prefix', 'sequence'])
        .default('prefix')
        .describe(
          'prefix: each place has the experts of the history up to it; sequence: one gate for all, which sees the targets in training',
        ),
      encoderRateShare: z
        .number()
        .min(0)
        .default(0)
        .describe("encoder's learning rate as a share of learning_rate; 0: it stays frozen"),
    })
    .prefault({}),
  head: z
    .strictObject({
      residual: z
        .union([z.boolean(), z.literal('late')])
        .default('late')
        .describe(
          "true: starts from the encoder's own scores; late: learns without them, answers with the mean of both",
        ),
      texts: z.boolean().default(true).describe("whether an item's words count in its score"),
      slotVectors: z.boolean().default(true).describe("whether slots hold the encoder's vectors"),
      vectorDropout: z
        .number()
        .min(0)
        .lt(1)
        .default(0)
        .describe(
          'share of items whose vectors are missing in a step, so that their words must do',
        ),
      dropout: z.number().min(0).lt(1).default(0.3),
      learningRate: positive.default(1e-3),
    })
    .prefault({}),
  training: z
    .strictObject({
      epochs: positive.default(4).describe('passes over the training sequences'),
      batchSize: count.default(8).describe('chunks of a sequence per step'),
      batchTokens: count.default(2048).describe('positions that go through the model at once'),
      workers: count.max(256).optional().describe('threads that share a step, on a CPU'),
      shufflesTies: z
        .boolean()
        .default(true)
        .describe('puts items of the same time in another order in each pass'),
      warmupShare: share.default(0.05),
      schedule: z.enum(['cosine', 'constant']).default('constant'),
      optimizer: z.enum(['adam', 'adamw']).default('adam'),
      clipNorm: z.number().min(0).default(1),
      averaging: averagingShape.averaging.default(0.99),
      rivals: z
        .enum(['catalog', 'sample', 'list'])
        .default('catalog')
        .describe(
          'what a target is held against: all items, a sample with logQ correction, or a list for each place',
        ),
      rivalCount: count.default(512).describe('draws of a sample, or items of a list'),
      hardShare: share
        .default(0)
        .describe('of a list: share taken from the items that the encoder likes best'),
      validations: count.default(2).describe('validations per pass'),
      select: z.enum(SELECTABLE).default('expected_hr_at_1'),
      protocol: z
        .enum(protocols)
        .default('window')
        .describe('histories that a validation shows: the last items, or all of the past'),
      validationWindows: count.default(5).describe('windows of each validation user'),
      patience: z.int().min(0).default(0),
      checkpointSeconds: positive.default(120),
    })
    .prefault({}),
};

type Settings = z.output<z.ZodObject<typeof shape>> & { seed: number };

function faultsOf({
  rank,
  experts,
  layers,
  expertLayers = layers,
  gate,
  gateFrom,
  gatePer,
  gateTemperature,
  gateOf,
}: Settings['adapter']): string[] {
  const faults: string[] = [];
  if (rank % experts !== 0)
    faults.push(`adapter.rank: expected a multiple of adapter.experts (${experts}), got ${rank}`);
  if (expertLayers > layers)
    faults.push(
      `adapter.expert_layers: expected at most adapter.layers (${layers}), got ${expertLayers}`,
    );
  const isPlain = gatePer === 'model' && gateTemperature === 1;
  if (gate === 'conv' && !isPlain)
    faults.push(
      'adapter.gate: expected linear with gate_per: layer or a gate_temperature, got conv',
    );
  if (gateFrom === 'state' && (!isPlain || gate === 'conv' || gateOf === 'sequence'))
    faults.push(
      'adapter.gate_from: state stands alone; expected no gate, gate_per, gate_temperature or gate_of beside it',
    );
  return faults;
}

interface StreamingModelOfMethod extends Model {
  recommender: StreamingRecommender;
}

export const streamingIlora = streaming('ilora', {
  name: 'streaming-ilora',
  label: 'Streaming iLoRA',
  summary: 'iLoRA that predicts the next item at every place, with experts mixed for each prefix',
});

export const streamingLora = streaming('lora', {
  name: 'streaming-lora',
  label: 'Streaming LoRA',
  summary: 'the same with one adapter for all: the control of streaming iLoRA',
});

function streaming(
  kind: 'ilora' | 'lora',
  names: { name: string; label: string; summary: string },
) {
  return defineMethod({
    ...names,
    capabilities: ['recommender', 'retriever'],
    needs: { base: true, encoder: true, texts: true, members: false },
    shape,
    fromEarlier: (settings) => withMeant(settings, 'adapter', { inputDropout: 0 }),
    resolve(settings) {
      return { settings, faults: kind === 'lora' ? [] : faultsOf(settings.adapter) };
    },
    build: (settings, parts) => build(kind, names.name, settings as Settings, parts),
    leastValues: ({ adapter: { rank } }, { base }) =>
      2 * rank * needed(base, 'a base').model.config.hiddenSize,
    learning: {
      kind: 'gradients',
      learner({ recommender }, { adapter, head, training }, { dataset }) {
        const rates = {
          lora: adapter.learningRate,
          gate: adapter.learningRate * adapter.gateRateShare,
          projector: adapter.learningRate,
          head: head.learningRate,
          encoder: adapter.learningRate * adapter.encoderRateShare,
          weightDecay: adapter.weightDecay,
        };
        const { reading } = recommender.model.parts;
        const examples = new ChunkExamples(dataset.sequencesOf('train'), {
          maxHistory: reading.maxHistory,
          catalogSize: dataset.catalog.size,
          batchTokens: training.batchTokens,
          positionsOf: (items) => recommender.model.positionsOf(items),
          vectorDropout: head.vectorDropout,
          shufflesTies: training.shufflesTies,
          rivals: rivalsOf(training),
        });
        return new AdapterLearner(recommender, examples, { rates });
      },
      loop({ training }, learner) {
        const { epochs, validations, rivals, rivalCount, hardShare, shufflesTies, ...rest } =
          training;
        void [rivals, rivalCount, hardShare, shufflesTies];
        const totalExamples = Math.ceil(epochs * learner.examples);
        const validateEvery = Math.max(1, Math.floor(learner.examples / validations));
        return { ...rest, totalExamples, validateEvery };
      },
    },
  });
}

function build(
  kind: 'ilora' | 'lora',
  name: string,
  { adapter: said, head, reading: asked, training, seed }: Settings,
  { dataset, base, encoder: given }: Parts,
): StreamingModelOfMethod {
  const { model, tokenizer } = needed(base, 'a base');
  const encoder = needed(given, 'an encoder');
  const { layers, rank, alpha, dropout, inputDropout, targets, scaleBy, gate } = said;
  const options: AdapterOptions = {
    kind,
    ...{ rank, alpha, dropout, targets, scaleBy, gate },
    experts: kind === 'lora' ? 1 : said.experts,
    layers: Math.min(layers, model.config.numLayers),
    ...(inputDropout > 0 && { inputDropout }),
    ...(said.gateFrom === 'state' && { gateFrom: said.gateFrom }),
    ...(said.gatePer === 'layer' && { gatePer: said.gatePer }),
    ...(said.gateTemperature !== 1 && { gateTemperature: said.gateTemperature }),
    ...(said.expertLayers !== undefined && { expertLayers: said.expertLayers }),
    ...(said.encoderRateShare > 0 && { trainsEncoder: true }),
    hasSlots: head.slotVectors,
    head: {
      residual: head.residual,
      readsTexts: head.texts,
      dropout: head.dropout,
    },
  };
  const texts = itemTexts(dataset.catalog, asked.attributes);
  if (asked.titles === 'permuted') new Random(seed, 'permuted-titles').shuffle(texts);
  const tokens = textTokens(texts, tokenizer);
  const maxHistory = maxHistoryOf(asked.maxHistory, encoder.maxHistory, dataset);
  const reading: Reading = {
    instruction: tokenizer.encode(asked.instruction),
    ...(said.gateOf === 'sequence' && { gateOf: said.gateOf }),
    ...(asked.form === 'long' && { texts: tokens }),
    maxHistory,
    step: stepOf(asked.step, maxHistory, dataset),
    counts: countsOf(dataset),
  };
  const tables = textTables(tokens, model);
  const described = { adapter: options, reading };
  const parts = modelParts(described, { base: model, encoder, texts: tables, seed });
  const { adapter } = parts;
  if (adapter === undefined) throw internal('a streaming model without an adapter');
  const { batchTokens } = training;
  const recommender = new StreamingRecommender({
    name,
    objective: 'next-item',
    batchTokens,
    ...parts,
  });
  const tensors = () => new Map(adapter.namedTensors());
  return {
    recommender,
    retriever: recommender,
    state: tensors,
    load(saved, where) {
      recommender.model.dispose();
      overwrite(tensors(), saved, where);
    },
    freeze() {
      adapter.freeze();
      recommender.model.settle();
    },
    release() {
      recommender.model.dispose();
      adapter.remove();
      tables.slots_ND.dispose();
      tables.outputs_ND.dispose();
    },
  };
}

function rivalsOf({ rivals, rivalCount, hardShare }: Settings['training']): RivalOptions {
  if (rivals === 'catalog') return { kind: rivals };
  if (rivals === 'sample') return { kind: rivals, count: rivalCount };
  return { kind: rivals, count: rivalCount, hardShare };
}

/** @throws IloraError `settings` where the encoder sees fewer items than are to be read */
function maxHistoryOf(asked: number | undefined, encoders: number, dataset: Dataset): number {
  const wanted = asked ?? dataset.manifest.window.maxHistory;
  if (wanted <= encoders) return wanted;
  throw mismatch('settings', {
    where: 'reading.max_history',
    expected: `at most what the encoder reads at once (${encoders})`,
    got: wanted,
    hint: 'train the encoder with a max_history as large',
  });
}

/** @throws IloraError `settings` for a step that would leave nothing to be read */
function stepOf(asked: number | undefined, maxHistory: number, { manifest }: Dataset): number {
  if (asked === undefined) return maxHistory > manifest.window.maxHistory ? maxHistory >> 1 : 1;
  if (asked <= maxHistory) return asked;
  throw mismatch('settings', {
    where: 'reading.step',
    expected: `at most as many items as are read at once (${maxHistory})`,
    got: asked,
  });
}

/** How often each item occurs in training sequences. */
function countsOf(dataset: Dataset): number[] {
  const counts = new Array<number>(dataset.catalog.size).fill(0);
  for (const { items } of dataset.sequencesOf('train'))
    for (const item of items) counts[item]! += 1;
  return counts;
}
