/**
 * Writes the work of a benchmark: `export.ts FOLDER`, with options as one JSON object on stdin.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataset } from '../../src/data/index.js';
import type { LayoutRow, TitleRows } from '../../src/recommenders/index.js';
import { adapterRates } from '../../src/recommenders/llm/methods/presets.js';
import { noGrad, scope, type Tensor } from '../../src/tensor/index.js';
import { Order } from '../../src/training/order.js';
import { countParameters } from '../../src/weights/index.js';
import { saveTensors } from '../../src/weights/tensor-file.js';
import { hubConfig } from './hub-config.js';
import { WORK_FILE, type Work, type WorkRow, workRow } from './work.js';
import {
  openWorldBase,
  TOTAL_STEPS,
  type World,
  type WorldOptions,
  worldAround,
  worldSettings,
} from './world.js';

/** What is to be written. */
export interface ExportOptions {
  world: WorldOptions;
  batches: number;
  ranked: number;
}

const folder = process.argv[2] as string;
const { world: options, batches, ranked } = JSON.parse(readFileSync(0, 'utf8')) as ExportOptions;

const dataset = await openDataset(options.data);
const base = openWorldBase('float32', { ...options, device: 'cpu' });
const { config } = base.model;
writeBase();

const uniform = worldAround(base, dataset, worldSettings('lora', 'float32', options));
saveAdapter('lora', uniform);
uniform.recommender.parts.adapter?.remove();

const world = worldAround(base, dataset, worldSettings('ilora', 'float32', options));
saveAdapter('ilora', world);
const sasrec = world.recommender.parts.encoder;
if (sasrec === undefined) throw new Error('internal: a benchmark without an encoder');
const vectors_NM = sasrec.itemVectors(Array.from({ length: dataset.catalog.size }, (_, i) => i));
saveTensors(join(folder, 'items.safetensors'), new Map([['items', vectors_NM]]));

const work: Work = {
  world: options,
  adapter: { ...world.settings.adapter },
  rates: adapterRates(world.settings.adapter),
  clipNorm: world.settings.training.clipNorm,
  batches: Array.from({ length: batches }, (_, step) => batch(step)),
  ranked: Array.from({ length: Math.min(ranked, dataset.rows('test')) }, (_, row) => testRow(row)),
  facts: {
    nonEmbeddingParameters: countParameters(config).nonEmbedding,
    adapterParameters: loraValues(world),
    vocabulary: config.vocabSize,
    width: config.hiddenSize,
    keyValueWidth: config.numKvHeads * config.headDim,
    innerWidth: config.intermediateSize,
  },
};
writeFileSync(join(folder, WORK_FILE), JSON.stringify(work));

function batch(step: number): WorkRow[] {
  const { seed, batchSize } = options;
  const order = new Order(seed, world.learner.examples);
  const examples = order.batch(step * batchSize, batchSize);
  const position = { seed, step, totalSteps: TOTAL_STEPS, batch: examples };
  return examples.map((example) => {
    const { rows, histories } = world.learner.batch([example], position) as TitleRows;
    return workRow(rows[0] as LayoutRow, representation(histories[0] ?? []));
  });
}

function testRow(row: number): WorkRow {
  const instance = dataset.instance('test', row);
  const { prompts } = world.recommender.parts;
  const prompt = world.recommender.prompt(instance);
  const answer = prompts.answer(instance.target);
  return {
    ...workRow({ prompt, continuations: [answer] }, representation(instance.history)),
    candidates: instance.candidates.map((item) => prompts.answer(item)),
  };
}

function representation(history: readonly number[]): number[] {
  return noGrad(() => scope(() => sasrec?.represent([history]).toNumbers() ?? []));
}

function saveAdapter(name: string, { learner }: World): void {
  saveTensors(join(folder, `${name}.safetensors`), learner.state());
}

function loraValues({ learner }: World): number {
  const [lora] = learner.parameterGroups();
  return [...(lora?.parameters.values() ?? [])].reduce((total, tensor) => total + tensor.size, 0);
}

/** The base under Hugging Face's names. */
function writeBase(): void {
  mkdirSync(join(folder, 'base'));
  const tensors = new Map<string, Tensor>();
  for (const [key, tensor] of base.model.namedTensors())
    tensors.set(key.startsWith('lm_head') ? key : `model.${key}`, tensor);
  saveTensors(join(folder, 'base', 'model.safetensors'), tensors, { format: 'pt' });
  writeFileSync(join(folder, 'base', 'config.json'), JSON.stringify(hubConfig(config)));
}
