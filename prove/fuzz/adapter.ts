/** Adapter files: an iLoRA's tensors put over those of a tiny model, which then ranks. */
import { join } from 'node:path';
import { overwrite } from '../../src/nn/index.js';
import { scope } from '../../src/tensor/index.js';
import { loadTensors, saveTensors } from '../../src/weights/tensor-file.js';
import { tinyIlora, tinyInstances } from '../../tests/support/models.js';
import { caseFrom } from './case.js';
import { inFolder } from './seed.js';
import type { Target } from './target.js';

const FILE = 'best.safetensors';
let recommender: ReturnType<typeof tinyIlora> | undefined;

function tensors() {
  recommender ??= tinyIlora();
  return new Map(recommender.parts.adapter.namedTensors());
}
let accepted = 0;

const target: Target = {
  name: 'adapter',
  sources: {
    'weights/tensor-file.ts': ['saveTensors'],
    'weights/safetensors.ts': ['writeSafetensors', 'bytesOf'],
  },
  seeds: async () => [
    inFolder((folder) => {
      saveTensors(join(folder, FILE), tensors());
      return caseFrom(folder, [FILE]);
    }),
  ],
  async read(folder) {
    const path = join(folder, FILE);
    scope(() => overwrite(tensors(), loadTensors(path).tensors, path));
    // Scored takes as long as twenty readings; any adapter that fits does as well as another.
    if (accepted++ % 20 !== 0) return;
    const [ranking] = await recommender!.score(tinyInstances.slice(0, 1));
    if (ranking?.scores.length !== 3) throw new Error('no scores');
  },
};
export default target;
