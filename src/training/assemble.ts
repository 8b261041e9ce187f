/**
 * From settings to models: SASRec, the adapter on its base, prompts.
 */
import type { Dataset } from '../data/index.js';
import type { Base } from '../recommenders/index.js';
import { Adapter, LlmRecommender, SASRec } from '../recommenders/index.js';
import { type Device, Generator } from '../tensor/index.js';
import { PromptBuilder } from '../text/index.js';
import type { Settings } from './settings.js';

/** The frozen base without any adapter, prompted with text only. */
export function baseRecommender(settings: Settings, base: Base, dataset: Dataset): LlmRecommender {
  return new LlmRecommender({
    name: 'base',
    base: base.model,
    prompts: promptsFor(settings, base, dataset),
    batchTokens: batchTokens(settings),
  });
}

/** A fresh adapter on the base, with the recommender behind gate and slots. */
export function assemble(
  settings: Settings,
  { base, dataset, sasrec }: { base: Base; dataset: Dataset; sasrec: SASRec },
): LlmRecommender {
  const { method, adapter: options, seed } = settings;
  const adapter = new Adapter(
    base.model,
    { ...options, kind: method === 'lora' ? 'lora' : 'ilora' },
    sasrec.options.width,
    seed,
  );
  return new LlmRecommender({
    name: method,
    base: base.model,
    prompts: promptsFor(settings, base, dataset),
    adapter,
    recommender: sasrec,
    batchTokens: batchTokens(settings),
  });
}

function promptsFor(
  settings: Settings,
  { tokenizer, model }: Base,
  { catalog, manifest }: Dataset,
): PromptBuilder {
  return new PromptBuilder(
    tokenizer,
    catalog.items.map((item) => item.title),
    settings.domain,
    {
      positions: model.config.maxPositions,
      titles: manifest.window.maxHistory + manifest.candidates.count + 1,
    },
  );
}

/** A few windows at a time fill a CPU's products; more would only take memory. */
function batchTokens({ training, device }: Settings): number {
  return training.batchTokens ?? (device === 'cpu' ? 1024 : 32_768);
}

/** A SASRec with fresh weights. */
export function makeSasrec(settings: Settings, dataset: Dataset): SASRec {
  const { preset, width, blocks, heads, dropout } = settings.sasrec;
  const { maxHistory } = dataset.manifest.window;
  const options = {
    catalogSize: dataset.catalog.size,
    maxHistory,
    width,
    blocks,
    heads,
    dropout,
    preset,
  };
  return new SASRec(options, new Generator(settings.seed)).to(settings.device as Device);
}
