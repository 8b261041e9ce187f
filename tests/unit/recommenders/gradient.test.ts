/** Gradients of the training losses by finite differences in float64: all parameters of SASRec and of iLoRA. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LlmLearner,
  type LlmRecommender,
  SequenceLearner,
  type TrainingPosition,
} from '../../../src/recommenders/index.js';
import { engineThreads, noGrad, type Tensor, zero_ } from '../../../src/tensor/index.js';
import { tinyDataset, tinyIlora, tinySasrec } from '../../support/models.js';
import { checkGradients, fill_ } from '../../support/numeric.js';

engineThreads(1);

const batch = [0, 2];
/** Late in training: prompts carry slots with the curriculum of every gate. */
const position: TrainingPosition = { seed: 1, step: 9, totalSteps: 10, batch };
const rates = { lora: 1e-3, gate: 1e-3, projector: 1e-3, weightDecay: 0 };

const lossOf = (made: LlmRecommender): (() => Tensor) => {
  const learner = new LlmLearner(made, tinyDataset, { rates, curriculum: 'hybrid' });
  return () => learner.loss(batch, position);
};

for (const preset of ['classic', 'modern'] as const) {
  for (const loss of ['bce', 'softmax'] as const) {
    test(`SASRec ${preset}, ${loss}: gradients of all its parameters`, () => {
      const model = tinySasrec({ preset, blocks: 1, dropout: 0.2 }).to('cpu', 'float64');
      const sequences = [
        [3, 1, 4, 1, 5],
        [9, 2, 6, 5, 3, 8, 7, 11],
      ].map((items) => ({ user: 'u', items: Int32Array.from(items) }));
      const learner = new SequenceLearner(model, sequences, {
        learningRate: 1e-3,
        weightDecay: 0,
        loss,
      });
      const examples = Array.from({ length: learner.examples }, (_, i) => i);
      assert.ok(learner.countTargets(examples, position) > 5);
      const parameters = Object.fromEntries(model.namedParameters());
      const tolerance = preset === 'classic' ? 1e-5 : 1e-6; // relu has kinks
      checkGradients(() => learner.loss(examples, position), parameters, {
        tolerance,
        mostElements: 3,
      });
    });
  }
}

for (const gate of ['linear', 'conv', 'conv-batch-norm'] as const) {
  test(`iLoRA with a ${gate} gate: gradients of all that is trained`, () => {
    const made = tinyIlora({ adapter: { gate, dropout: 0.25 }, dtype: 'float64' });
    const parameters = Object.fromEntries(made.parts.adapter.namedParameters());
    const keys = Object.keys(parameters);
    for (const part of [/^gate\./, /^projector\./, /\.down$/, /\.up$/])
      assert.ok(
        keys.some((key) => part.test(key)),
        `${part}`,
      );
    // The norm over a batch of two bends sharply. A gate of convolutions has 59 tensors.
    const mostElements = gate === 'linear' ? 2 : 1;
    checkGradients(lossOf(made), parameters, { tolerance: 2e-6, step: 1e-6, mostElements });
  });
}

test('the gate learns through every adapted layer, each by itself', () => {
  const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  const made = tinyIlora({ adapter: { targets }, dtype: 'float64' });
  const parameters = new Map(made.parts.adapter.namedParameters());
  const ups = [...parameters].filter(([key]) => key.endsWith('.up'));
  assert.equal(ups.length, 2 * targets.length);
  const weight = parameters.get('gate.weight') as Tensor;
  fill_(weight, 3);
  for (const [key, up] of ups) {
    noGrad(() => {
      for (const [, other] of ups) zero_(other);
    });
    fill_(up, 4, 0.3);
    checkGradients(lossOf(made), { [`gate through ${key}`]: weight }, { mostElements: 4 });
    const size = Math.hypot(...((weight.grad as Tensor).toNumbers() ?? []));
    assert.ok(size > 1e-6, `${key}: the gradient is ${size}`);
  }
});

test('with all `up` at zero nothing flows to the gate: the layer is its base', () => {
  const made = tinyIlora({ dtype: 'float64' });
  const parameters = new Map(made.parts.adapter.namedParameters());
  noGrad(() => {
    for (const [key, tensor] of parameters) if (key.endsWith('.up')) zero_(tensor);
  });
  lossOf(made)().backward();
  const weight = parameters.get('gate.weight') as Tensor;
  assert.ok(weight.grad?.toNumbers().every((value) => value === 0));
});
