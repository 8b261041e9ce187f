/** What a reader of weights is asked for once it has opened a model. */

import { scope } from '../../src/tensor/index.js';
import { openTokenizer } from '../../src/text/index.js';
import { describeModel, openWeights } from '../../src/weights/index.js';

/** Describes a model, loads every tensor it should have and encodes a text. */
export function useModel(path: string, hasTokenizer: boolean): void {
  describeModel(path);
  const source = openWeights(path);
  try {
    for (const name of source.names()) {
      scope(() => {
        const tensor = source.load(name, { dtype: 'float32' });
        if (tensor.shape.join() !== source.stored(name).shape.join())
          throw new Error(`${name}: loaded with another shape`);
        tensor.toTypedArray();
      });
    }
    if (hasTokenizer) openTokenizer(source.tokenizer).encode('a b');
  } finally {
    source.close();
  }
}

/** Files that `useModel` goes through, beside those of the format. */
export const MODEL_SOURCES = {
  'weights/open-weights.ts': [],
  'weights/weight-source.ts': [],
  'weights/model-config.ts': [],
  'weights/fact-reader.ts': [],
} as const;
