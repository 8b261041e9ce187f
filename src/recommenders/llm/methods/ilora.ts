/**
 * ★ iLoRA: experts mixed per user by a gate on the encoder's representation of the history.
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

const expertShape = {
  ...adapterShape,
  experts: z.int().positive().describe('E; must divide the rank').optional(),
  scaleBy: z
    .enum(['total-rank', 'expert-rank'])
    .describe("alpha over the total rank (paper) or over one expert's (code)")
    .optional(),
  gate: z.enum(['linear', 'conv', 'conv-batch-norm']).optional(),
  gateRateShare: z
    .number()
    .min(0)
    .describe("gate's learning rate as a share of learning_rate")
    .optional(),
} as const;

const KEYS = Object.keys(expertShape) as (keyof typeof expertShape)[];

const shape = {
  ...languageModelShape,
  preset: z.enum(PRESET_NAMES).default('paper').describe('defaults of `adapter`'),
  adapter: z.strictObject(expertShape).prefault({}),
  training: trainingSchema.prefault({}),
};

type Said = Pick<z.output<z.ZodObject<typeof shape>>, 'adapter' | 'preset' | 'training'>;

/** The adapter's settings, the preset's where nothing is said. */
const adapterOf = ({ adapter, preset }: Said) => filled(adapter, preset, KEYS);

export const ilora = defineMethod({
  name: 'ilora',
  label: 'iLoRA',
  summary: 'low-rank experts mixed for each user by a gate (Kong et al., NeurIPS 2024)',
  capabilities: ['recommender', 'generator', 'titleReader'],
  exceptions: PROMPT_EXCEPTIONS,
  needs: { base: true, encoder: true, members: false, texts: true },
  shape,
  resolve(settings) {
    const adapter = adapterOf(settings);
    const { rank, experts } = adapter;
    const fault = `adapter.rank: expected a multiple of adapter.experts (${experts}), got ${rank}`;
    return {
      settings: { ...settings, adapter },
      faults: rank % experts === 0 ? [] : [fault],
    };
  },
  build(settings, parts) {
    const { learningRate, gateRateShare, projectorRateShare, weightDecay, ...adapter } =
      adapterOf(settings);
    void [learningRate, gateRateShare, projectorRateShare, weightDecay];
    return adaptedModel('ilora', { kind: 'ilora', ...adapter }, settings, parts);
  },
  leastValues: (settings, parts) => leastAdapterValues(adapterOf(settings), parts),
  learning: adapterLearning(adapterOf),
});
