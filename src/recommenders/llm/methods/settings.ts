/**
 * Settings that the methods on a language model share, and what is made of them.
 */
import { z } from 'zod';
import { internal } from '../../../errors/index.js';
import { checkAttributes, openPromptTemplate, PromptBuilder } from '../../../text/index.js';
import { baseShape, type Parts, SELECTABLE_OF_DRAW, textShape } from '../../method.js';
import type { PromptingParts } from '../parts.js';
import { PRESETS, type Preset, type PresetName } from './presets.js';

const positive = z.number().positive();
const count = z.int().positive();
const share = z.number().min(0).max(1);

/** Keys of the `training` section. */
export const trainingSchema = z.strictObject({
  windows: count.default(8000).describe('training windows to see in all'),
  batchSize: count.default(32).describe('windows per optimizer step'),
  batchTokens: count
    .optional()
    .describe(
      'tokens that go through the model at once; several workers have 1.5 times as many in all; default: 1024 on a CPU, 32768 on a GPU',
    ),
  workers: count
    .max(256)
    .optional()
    .describe(
      'threads that share the windows of a step, on a CPU and without batch norm; default: one per core, as memory allows',
    ),
  recomputesActivations: z
    .boolean()
    .default(false)
    .describe('computes activations again for the gradients: less memory, a third slower'),
  warmupShare: share.default(0.05),
  schedule: z.enum(['cosine', 'constant']).default('cosine'),
  optimizer: z.enum(['adam', 'adamw']).default('adam'),
  clipNorm: z.number().min(0).default(1).describe('bound on the norm of all gradients; 0: none'),
  curriculum: z
    .enum(['ramp', 'hybrid'])
    .default('ramp')
    .describe('ramp: from text to slots; hybrid: slots always'),
  validateEvery: count.default(2000).describe('windows between two validations'),
  validationRows: count.default(94).describe('rows of the validation split that are used'),
  select: z
    .enum(SELECTABLE_OF_DRAW)
    .default('ndcg_at_10')
    .describe('validation metric that chooses the best weights'),
  patience: z.int().min(0).default(0),
  checkpointSeconds: positive.default(120),
});

export type TrainingSettings = z.output<typeof trainingSchema>;

/** Keys of the `adapter` section that uniform LoRA and iLoRA share. */
export const adapterShape = {
  rank: count.describe('total rank; of experts: E·R').optional(),
  alpha: positive.optional(),
  dropout: z.number().min(0).lt(1).optional(),
  targets: z
    .array(z.string())
    .min(1)
    .describe('last names of the adapted linear layers')
    .optional(),
  hasSlots: z.boolean().describe('whether item vectors are projected into the prompt').optional(),
  learningRate: positive.optional(),
  projectorRateShare: z
    .number()
    .min(0)
    .describe("projector's learning rate as a share of learning_rate")
    .optional(),
  weightDecay: z.number().min(0).describe('on gate and projector').optional(),
} as const;

/** What holds for every method that asks with a prompt. */
export const PROMPT_EXCEPTIONS = {
  'candidate-order': 'the prompt names the candidates one after the other',
} as const;

export const languageModelShape = { ...baseShape, ...textShape } as const;

/** The said values over the preset's, for every key that may be said. */
export function filled<K extends keyof Preset>(
  said: { readonly [key in K]?: Preset[key] | undefined },
  preset: PresetName,
  keys: readonly K[],
): Pick<Preset, K> {
  const values = keys.map((key) => [key, said[key] ?? PRESETS[preset][key]]);
  return structuredClone(Object.fromEntries(values)) as Pick<Preset, K>;
}

/** Base, prompts and batch size of a model, without what is trained around it. */
export function languageModelParts(
  settings: {
    prompt: string;
    device: string;
    training?: Pick<TrainingSettings, 'batchTokens'>;
  },
  { base, dataset }: Parts,
): Pick<PromptingParts, 'base' | 'prompts' | 'maxHistory' | 'batchTokens' | 'objective'> {
  const { catalog, manifest } = dataset;
  const { model, tokenizer } = needed(base, 'a base');
  const template = openPromptTemplate(settings.prompt);
  checkAttributes(template, catalog.items);
  return {
    base: model,
    objective: 'title-likelihood',
    prompts: new PromptBuilder(tokenizer, catalog.items, template, {
      positions: model.config.maxPositions,
      titles: manifest.window.maxHistory + manifest.candidates.count + 1,
    }),
    maxHistory: manifest.window.maxHistory,
    // A few windows at a time fill a CPU's products; more would only take memory.
    batchTokens: settings.training?.batchTokens ?? (settings.device === 'cpu' ? 1024 : 32_768),
  };
}

/** A part that the method's needs promise. */
export function needed<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw internal(`a model was built without ${what}`);
  return part;
}
