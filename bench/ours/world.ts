/**
 * The world both sides of a benchmark live in: base, dataset, SASRec and a fresh adapter, all of them functions of
 * the options, so that the process that exports the work and those that do it have the same.
 *
 * SASRec has random weights and `up` is drawn, not zero: speed does not depend on either, and the comparison of
 * losses would mean little with an adapter that does nothing.
 */
import { type Dataset, openDataset } from '../../src/data/index.js';
import {
  type Base,
  DEFAULT_ENCODER,
  type Encoder,
  type LlmLearner,
  type LlmRecommender,
  methodNamed,
  openBase,
  type Preset,
} from '../../src/recommenders/index.js';
import type { TrainingSettings } from '../../src/recommenders/llm/methods/settings.js';
import { copy_, Generator, mul, noGrad, randn, scope } from '../../src/tensor/index.js';
import { resolveSettings, type Settings } from '../../src/training/index.js';
import { randomBase, type ShapeName } from '../gpu/shape.js';

export type Kind = 'ilora' | 'lora';

/** What the processes of one benchmark agree on. */
export interface WorldOptions {
  data: string;
  /** Path of the base's files; not looked at where there is a `shape`. */
  base: string;
  /** A base of random weights instead. */
  shape?: ShapeName;
  device?: 'cpu' | 'cuda';
  /** Tokens that go through the model at once; the product's default if absent. */
  batchTokens?: number;
  /** Windows per optimizer step. */
  batchSize: number;
  seed: number;
  /** Whether activations are computed anew in the backward pass. */
  recomputesActivations?: boolean;
}

/** Settings of a method with an adapter. */
export type WorldSettings = Settings & { adapter: Preset; training: TrainingSettings };

export interface World {
  settings: WorldSettings;
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
  { data, base, batchSize, batchTokens, seed, device, recomputesActivations }: WorldOptions,
): WorldSettings {
  const input = {
    method: kind,
    data,
    out: 'unused',
    base,
    prompt: 'movie',
    seed,
    dtype,
    ...(device && { device }),
    adapter: { learningRate: 1e-3 },
    training: {
      batchSize,
      windows: TOTAL_STEPS * batchSize,
      curriculum: 'hybrid',
      warmupShare: 0,
      schedule: 'constant',
      ...(batchTokens !== undefined && { batchTokens }),
      ...(recomputesActivations !== undefined && { recomputesActivations }),
    },
  };
  return resolveSettings(input, 'benchmark') as WorldSettings;
}

export async function openWorld(
  kind: Kind,
  dtype: 'float32' | 'bfloat16',
  options: WorldOptions,
): Promise<World> {
  const dataset = await openDataset(options.data);
  return worldAround(openWorldBase(dtype, options), dataset, worldSettings(kind, dtype, options));
}

export function openWorldBase(
  dtype: 'float32' | 'bfloat16',
  { base, shape, device = 'cpu' }: WorldOptions,
): Base {
  return shape === undefined ? openBase(base, { device, dtype }) : randomBase(shape, device, dtype);
}

/** An adapter of the settings' kind on a base that has none. */
export function worldAround(base: Base, dataset: Dataset, settings: WorldSettings): World {
  const parts = { base, dataset, encoder: freshEncoder(settings, dataset) };
  const method = methodNamed(settings.method);
  const model = method.build(settings, parts);
  const recommender = model.recommender as LlmRecommender;
  const generator = new Generator(settings.seed + 1);
  noGrad(() =>
    scope(() => {
      for (const [key, tensor] of recommender.parts.adapter?.namedTensors() ?? [])
        if (key.endsWith('.up')) copy_(tensor, mul(randn(tensor.shape, generator), UP_DEVIATION));
    }),
  );
  if (method.learning.kind !== 'gradients') throw new Error('internal: nothing to train');
  const learner = method.learning.learner(model, settings, parts) as LlmLearner;
  return { settings, dataset, base, recommender, learner };
}

/** An encoder with fresh weights, of the kind that is trained by default. */
export function freshEncoder({ data, seed, device }: Settings, dataset: Dataset): Encoder {
  const input = { method: DEFAULT_ENCODER.name, data, out: 'unused', seed, device };
  const model = DEFAULT_ENCODER.build(resolveSettings(input, 'benchmark'), { dataset });
  model.freeze();
  if (model.encoder === undefined) throw new Error('internal: an encoder without its capability');
  return model.encoder;
}
