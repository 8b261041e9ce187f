/** Gradients through the base by finite differences in float64: rotation, one block, the whole model. */
import { test } from 'node:test';
import { RotaryEmbedding, rotate } from '../../../src/llama/index.js';
import { crossEntropy, engineThreads, narrow, reshape, Tensor } from '../../../src/tensor/index.js';
import { tinyLlama } from '../../support/models.js';
import { checkGradients, mixture, noise } from '../../support/numeric.js';

engineThreads(1);
const place = { device: 'cpu', dtype: 'float64' } as const;

test('rotation: gradients of what is rotated, for positions in a row and given ones', () => {
  const rope = new RotaryEmbedding(4, 10_000);
  const x = noise([2, 3, 2, 4], 1);
  checkGradients(() => mixture(rotate(x, rope.range(5, 2, place))), { x });
  checkGradients(() => mixture(rotate(x, rope.at([7, 1, 0, 300], [2, 2], place))), { x });
});

test('a block: gradients of its input and of all its weights, with shared heads', () => {
  const model = tinyLlama({ dtype: 'float64', config: { numLayers: 1, attentionBias: true } });
  const block = model.layers[0]!;
  const rope = new RotaryEmbedding(model.config.headDim, model.config.ropeTheta);
  const x = noise([2, 3, 16], 1);
  const input = { rotation: rope.range(0, 3, place), attention: { isCausal: true } };
  checkGradients(() => mixture(block.forward(x, input)), {
    x,
    ...Object.fromEntries(block.namedTensors()),
  });
});

test('the whole model: gradients of all weights of the loss of a text', () => {
  for (const tieWordEmbeddings of [false, true]) {
    const model = tinyLlama({ dtype: 'float64', config: { tieWordEmbeddings } });
    const ids = Tensor.from(BigInt64Array.of(5n, 9n, 11n, 5n), [1, 4]);
    const wanted = Tensor.from(BigInt64Array.of(9n, 11n, 5n));
    const loss = (): Tensor => {
      const states = narrow(model.forward(model.embed(ids)), 1, 0, 3);
      return crossEntropy(reshape(model.logits(states), [3, 64]), wanted, { reduction: 'sum' });
    };
    checkGradients(loss, Object.fromEntries(model.namedTensors()), { mostElements: 6 });
  }
});
