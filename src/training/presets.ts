/**
 * The two readings of iLoRA: `paper` and `authors-code`. docs/presets.md lists their differences.
 *
 * The paper leaves rank, alpha, dropout and targets open; both presets take them from the code.
 */
import { LLAMA_PROJECTIONS } from '../lora/index.js';
import type { AdapterOptions, AdapterRates } from '../recommenders/index.js';

export const PRESET_NAMES = ['paper', 'authors-code'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** What a preset fixes about an adapter and its training. */
export interface Preset {
  adapter: Omit<AdapterOptions, 'kind'>;
  /** Maxima of the learning rates; gate and projector as shares of the first. */
  learningRate: number;
  gateRateShare: number;
  projectorRateShare: number;
  weightDecay: number;
}

const COMMON = {
  rank: 8,
  alpha: 32,
  dropout: 0.1,
  targets: [...LLAMA_PROJECTIONS],
  experts: 4,
  hasSlots: true,
} as const;

/** Learning rates are those for MovieLens. */
export const PRESETS: Record<PresetName, Preset> = {
  paper: {
    adapter: { ...COMMON, scaleBy: 'total-rank', gate: 'linear' },
    learningRate: 1e-4,
    gateRateShare: 1,
    projectorRateShare: 1,
    weightDecay: 1e-5,
  },
  'authors-code': {
    adapter: { ...COMMON, scaleBy: 'expert-rank', gate: 'conv' },
    learningRate: 8e-4,
    gateRateShare: 0.3,
    projectorRateShare: 1,
    weightDecay: 1e-5,
  },
};

/** Learning rates of the parts. */
export function adapterRates(settings: {
  learningRate: number;
  gateRateShare: number;
  projectorRateShare: number;
  weightDecay: number;
}): AdapterRates {
  const { learningRate, gateRateShare, projectorRateShare, weightDecay } = settings;
  return {
    lora: learningRate,
    gate: learningRate * gateRateShare,
    projector: learningRate * projectorRateShare,
    weightDecay,
  };
}
