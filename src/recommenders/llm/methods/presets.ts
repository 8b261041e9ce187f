/**
 * The two readings of iLoRA: `paper` and `authors-code`. docs/presets.md lists their differences.
 *
 * The paper leaves rank, alpha, dropout and targets open; both presets take them from the code.
 */
import { LLAMA_PROJECTIONS } from '../../../lora/index.js';
import type { AdapterOptions, AdapterRates } from '../adapter.js';

export const PRESET_NAMES = ['paper', 'authors-code'] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** What a preset fixes about an adapter and its training; learning rates are maxima. */
export interface Preset extends Omit<AdapterOptions, 'kind' | 'targets'> {
  targets: string[];
  learningRate: number;
  /** Of the gate, as a share of the learning rate. */
  gateRateShare: number;
  /** Of the projector, as a share of the learning rate. */
  projectorRateShare: number;
  /** On gate and projector. */
  weightDecay: number;
}

const COMMON = {
  rank: 8,
  alpha: 32,
  dropout: 0.1,
  targets: [...LLAMA_PROJECTIONS],
  experts: 4,
  hasSlots: true,
  projectorRateShare: 1,
  weightDecay: 1e-5,
};

/** Learning rates are those for MovieLens. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  paper: {
    ...COMMON,
    scaleBy: 'total-rank',
    gate: 'linear',
    learningRate: 1e-4,
    gateRateShare: 1,
  },
  'authors-code': {
    ...COMMON,
    scaleBy: 'expert-rank',
    gate: 'conv',
    learningRate: 8e-4,
    gateRateShare: 0.3,
  },
};

/** Learning rates of the parts; a method without a gate names no share for it. */
export function adapterRates({
  learningRate,
  gateRateShare = 1,
  projectorRateShare,
  weightDecay,
}: Pick<Preset, 'learningRate' | 'projectorRateShare' | 'weightDecay'> &
  Partial<Pick<Preset, 'gateRateShare'>>): AdapterRates {
  return {
    lora: learningRate,
    gate: learningRate * gateRateShare,
    projector: learningRate * projectorRateShare,
    weightDecay,
  };
}
