/**
 * Uniform LoRA with item slots, the setting of LLaRA: one adapter for all users.
 */
import { z } from 'zod';
import { defineMethod } from '../../method.js';
import { adaptedModel, adapterLearning, leastAdapterValues } from './model.js';
import { PRESET_NAMES } from './presets.js';
import {
  adapterShape,
  filled,
  languageModelShape,
  PROMPT_EXCEPTIONS,
  trainingSchema,
} from './settings.js';

const KEYS = Object.keys(adapterShape) as (keyof typeof adapterShape)[];

const shape = {
  ...languageModelShape,
  preset: z.enum(PRESET_NAMES).default('paper').describe('defaults of `adapter`'),
  adapter: z.strictObject(adapterShape).prefault({}),
  training: trainingSchema.prefault({}),
};

type Said = Pick<z.output<z.ZodObject<typeof shape>>, 'adapter' | 'preset' | 'training'>;

/** The adapter's settings, the preset's where nothing is said. */
const adapterOf = ({ adapter, preset }: Said) => filled(adapter, preset, KEYS);

export const lora = defineMethod({
  name: 'lora',
  label: 'LoRA',
  summary: 'one low-rank adapter for all users, with item slots in the prompt (LLaRA)',
  capabilities: ['recommender', 'generator', 'titleReader'],
  exceptions: PROMPT_EXCEPTIONS,
  needs: { base: true, encoder: true, members: false, texts: true },
  shape,
  resolve: (settings) => ({
    settings: { ...settings, adapter: adapterOf(settings) },
    faults: [],
  }),
  build(settings, parts) {
    const { rank, alpha, dropout, targets, hasSlots } = adapterOf(settings);
    const one = { experts: 1, scaleBy: 'total-rank', gate: 'linear' } as const;
    const options = { kind: 'lora', rank, alpha, dropout, targets, hasSlots, ...one } as const;
    return adaptedModel('lora', options, settings, parts);
  },
  leastValues: (settings, parts) => leastAdapterValues(adapterOf(settings), parts),
  learning: adapterLearning(adapterOf),
});
