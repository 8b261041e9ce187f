/**
 * The world both sides of a benchmark live in: base, dataset, SASRec and a fresh adapter, all of them functions of
 * the options, so that the process that exports the work and those that do it have the same.
 *
 * SASRec has random weights and `up` is drawn, not zero: speed does not depend on either, and the comparison of
 * losses would mean little with an adapter that does nothing.
 */
import { type Dataset, openDataset } from '../../src/data/index.js';
import { LlmLearner, type LlmRecommender } from '../../src/recommenders/index.js';
import { Generator, noGrad, normal_ } from '../../src/tensor/index.js';
import { assemble, makeSasrec } from '../../src/training/assemble.js';
import { type Base, openBase, resolveSettings, type Settings } from '../../src/training/index.js';
import { adapterRates } from '../../src/training/presets.js';

export type Kind = 'ilora' | 'lora';

/** What the processes of one benchmark agree on. */
export interface WorldOptions {
  data: string;
  base: string;
  /** Windows per optimizer step. */
  batchSize: number;
  seed: number;
  /** Whether activations are computed anew in the backward pass. */
  checkpointActivations?: boolean;
}

export interface World {
  settings: Settings;
  dataset: Dataset;
  base: Base;
  recommender: LlmRecommender;
  learner: LlmLearner;
}

/** More steps than any benchmark makes: the trainer never comes to its end. */
export const TOTAL_STEPS = 100_000;

/** Standard deviation of `up`; with it the adapter moves the loss by some percent. */
const UP_DEVIATION = 0.01;

/** The product's own settings: the preset `paper` with slots in all prompts, as at the end of the curriculum. */
export function worldSettings(
  kind: Kind,
  dtype: 'float32' | 'bfloat16',
  { data, base, batchSize, seed, checkpointActivations }: WorldOptions,
): Settings {
  const input = {
    method: kind,
    data,
    out: 'unused',
    base,
    domain: 'movie',
    seed,
    dtype,
    adapter: { learningRate: 1e-3 },
    training: {
      batchSize,
      windows: TOTAL_STEPS * batchSize,
      curriculum: 'hybrid',
      warmupShare: 0,
      schedule: 'constant',
      ...(checkpointActivations === true && { checkpointActivations }),
    },
  };
  return resolveSettings(input, 'benchmark');
}

export async function openWorld(
  kind: Kind,
  dtype: 'float32' | 'bfloat16',
  options: WorldOptions,
): Promise<World> {
  const dataset = await openDataset(options.data);
  const base = openBase(options.base, { device: 'cpu', dtype });
  return worldAround(base, dataset, worldSettings(kind, dtype, options));
}

/** An adapter of the settings' kind on a base that has none. */
export function worldAround(base: Base, dataset: Dataset, settings: Settings): World {
  const sasrec = makeSasrec(settings, dataset).freeze();
  const recommender = assemble(settings, { base, dataset, sasrec });
  const generator = new Generator(settings.seed + 1);
  noGrad(() => {
    for (const [key, tensor] of recommender.parts.adapter?.namedTensors() ?? [])
      if (key.endsWith('.up')) normal_(tensor, 0, UP_DEVIATION, generator);
  });
  const learner = new LlmLearner(recommender, dataset, {
    rates: adapterRates(settings.adapter),
    curriculum: settings.training.curriculum,
  });
  return { settings, dataset, base, recommender, learner };
}
