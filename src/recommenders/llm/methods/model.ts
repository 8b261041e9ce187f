/**
 * A recommender on a language model as a method's model: its adapter is what is saved.
 */
import { overwrite } from '../../../nn/index.js';
import type { Learning, Model, Parts } from '../../method.js';
import type { AdapterOptions } from '../adapter.js';
import { modelParts } from '../description.js';
import { LlmLearner } from '../llm-learner.js';
import { LlmRecommender } from '../llm-recommender.js';
import type { PromptingParts } from '../parts.js';
import { adapterRates, type Preset } from './presets.js';
import { languageModelParts, needed, type TrainingSettings } from './settings.js';

export interface LlmModel extends Model {
  recommender: LlmRecommender;
}

export function llmModel(parts: PromptingParts): LlmModel {
  const recommender = new LlmRecommender(parts);
  const { adapter } = parts;
  const tensors = () => new Map(adapter?.namedTensors() ?? []);
  return {
    recommender,
    generator: recommender,
    titleReader: recommender,
    state: tensors,
    load: (saved, where) => overwrite(tensors(), saved, where),
    freeze: () => void adapter?.freeze(),
    release: () => adapter?.remove(),
  };
}

/** A model with a fresh adapter on the base, and the encoder behind gate and slots. */
export function adaptedModel(
  name: string,
  options: AdapterOptions,
  settings: Parameters<typeof languageModelParts>[0] & { seed: number },
  parts: Parts,
): LlmModel {
  const { base, ...rest } = languageModelParts(settings, parts);
  const encoder = needed(parts.encoder, 'an encoder');
  const { seed } = settings;
  return llmModel({ name, ...rest, ...modelParts({ adapter: options }, { base, encoder, seed }) });
}

/** Trains a model's adapter on training windows, with the rates of the adapter's settings. */
export function adapterLearning<S extends { training: TrainingSettings }>(
  adapterOf: (settings: S) => Parameters<typeof adapterRates>[0],
): Learning<S, LlmModel> {
  return {
    kind: 'gradients',
    learner({ recommender }, settings, { dataset }) {
      const { curriculum, recomputesActivations } = settings.training;
      const rates = adapterRates(adapterOf(settings));
      return new LlmLearner(recommender, dataset, { rates, curriculum, recomputesActivations });
    },
    loop: ({ training: { windows, ...rest } }) => ({ ...rest, totalExamples: windows }),
  };
}

/** Least number of values in an adapter of a rank: one adapted layer's. */
export function leastAdapterValues({ rank }: Pick<Preset, 'rank'>, { base }: Parts): number {
  return 2 * rank * needed(base, 'a base').model.config.hiddenSize;
}
