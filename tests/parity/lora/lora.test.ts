/**
 * Uniform LoRA agrees with PEFT on a tiny Llama, in double precision: logits, gradients, and ten
 * steps of AdamW with decay and clipping; see generate.py.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Llama } from '../../../src/llama/index.js';
import { Adam, clipGradients } from '../../../src/optim/index.js';
import { Adapter } from '../../../src/recommenders/index.js';
import {
  copy_,
  crossEntropy,
  engineThreads,
  narrow,
  noGrad,
  reshape,
  type Tensor,
  zerosLike,
} from '../../../src/tensor/index.js';
import { tinyConfig } from '../../support/models.js';
import { Comparison, openFixture } from '../support/fixture.js';
import { whole } from '../support/numbers.js';

engineThreads(1);

/** Double precision on both sides; the largest relative error seen was 1.7e-14. */
const TOLERANCE = 1e-11;

interface Facts {
  lora: { r: number; alpha: number };
  targets: string[];
  training: { learningRate: number; weightDecay: number; clipNorm: number; steps: number };
  shape: [number, number];
}

const { facts, weights, wanted } = openFixture<Facts>(import.meta.dirname, 'peft');
const comparison = new Comparison(wanted, TOLERANCE);
const config = { ...tinyConfig, vocabSize: 32 };
const base = new Llama(config, (key) => weights.get(key) as Tensor);
const adapter = new Adapter(
  base,
  {
    kind: 'lora',
    rank: facts.lora.r,
    alpha: facts.lora.alpha,
    dropout: 0,
    targets: facts.targets,
    experts: 1,
    scaleBy: 'total-rank',
    gate: 'linear',
    hasSlots: false,
  },
  { representation: 1, items: 1 },
  1,
).to('cpu', 'float64');
const trained = new Map(adapter.namedParameters());

const gradients = (): Map<string, Tensor> =>
  new Map([...trained].map(([key, tensor]) => [key, tensor.grad as Tensor]));

/** Logits, and the mean loss of every next token. */
function run(ids_BT: Tensor): { logits: Tensor; loss: Tensor } {
  const logits = base.logits(base.forward(base.embed(ids_BT)));
  const last = ids_BT.axis(1) - 1;
  const loss = crossEntropy(
    reshape(narrow(logits, 1, 0, last), [-1, config.vocabSize]),
    reshape(narrow(ids_BT, 1, 1, last), [-1]),
  );
  return { logits, loss };
}

test('logits, loss and gradients are those of PEFT', () => {
  assert.equal(trained.size, 2 * 7 * 2);
  noGrad(() => {
    for (const [key, tensor] of trained) copy_(tensor, weights.get(key) as Tensor);
  });
  const { logits, loss } = run(whole('ids', facts.shape, config.vocabSize));
  loss.backward();
  comparison.check('logits', logits);
  comparison.check('loss', [loss.item()]);
  comparison.checkFingerprints('gradients', gradients());
});

test('ten steps of AdamW from B = 0 give the parameters that PEFT and torch give', (t) => {
  const { learningRate, weightDecay, clipNorm, steps } = facts.training;
  adapter.load(
    new Map(
      [...trained].map(([key, tensor]) => [
        key,
        key.endsWith('.up') ? zerosLike(tensor) : (weights.get(key) as Tensor),
      ]),
    ),
    'start',
  );
  const optimizer = new Adam([{ name: 'lora', parameters: trained, learningRate, weightDecay }], {
    isDecoupled: true,
  });
  const losses: number[] = [];
  const norms: number[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const { loss } = run(whole(`ids of step ${step}`, facts.shape, config.vocabSize));
    loss.backward();
    norms.push(clipGradients(optimizer.parameters, clipNorm));
    optimizer.step();
    losses.push(loss.item());
    comparison.checkFingerprints(`step ${step}`, trained);
  }
  const clipped = norms.filter((norm) => norm > clipNorm).length;
  assert.ok(clipped > 0 && clipped < steps, 'some steps are clipped, some not');
  comparison.check('losses', losses);
  comparison.check('norms', norms);
  for (const [key, tensor] of trained) comparison.check(`trained ${key}`, tensor);
  t.diagnostic(comparison.finish());
});
