/** Hugging Face folders: shards with their index, and weights in one file. */
import { caseOf } from './case.js';
import { configJson, modelBytes, modelTensors } from './model-seed.js';
import { safetensorsBytes } from './seed.js';
import type { Target } from './target.js';
import { MODEL_SOURCES, useModel } from './weights.js';

const target: Target = {
  name: 'sharded',
  sources: {
    'weights/sharded.ts': [],
    'weights/safetensors-source.ts': [],
    ...MODEL_SOURCES,
  },
  async seeds() {
    const tensors = modelTensors('F32');
    const halves = [tensors.slice(0, 5), tensors.slice(5)] as const;
    const weightMap = Object.fromEntries(
      halves.flatMap((half, i) => half.map(({ name }) => [name, `model-${i + 1}.safetensors`])),
    );
    return [
      caseOf({
        'config.json': JSON.stringify(configJson),
        'model.safetensors.index.json': JSON.stringify({
          metadata: { total_size: 1 },
          weight_map: weightMap,
        }),
        'model-1.safetensors': safetensorsBytes(halves[0]),
        'model-2.safetensors': safetensorsBytes(halves[1]),
      }),
      caseOf({
        'config.json': JSON.stringify(configJson),
        'model.safetensors': modelBytes('BF16'),
      }),
    ];
  },
  read: (folder) => useModel(folder, false),
};
export default target;
