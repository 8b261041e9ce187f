/**
 * ExpertLoraLinear and the gates agree with their equations written out (naive.py), in double precision:
 * results, gradients, and what a batch norm remembers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConvGate,
  ExpertLoraLinear,
  type ExpertLoraOptions,
  type Gate,
  LinearGate,
} from '../../../src/lora/index.js';
import { Linear } from '../../../src/nn/index.js';
import {
  clone,
  copy_,
  engineThreads,
  Generator,
  mul,
  noGrad,
  sum,
  type Tensor,
} from '../../../src/tensor/index.js';
import { Comparison, openFixture } from '../support/fixture.js';
import { uniform } from '../support/numbers.js';

engineThreads(1);

/** Double precision on both sides; the largest relative error seen was 6e-15. */
const TOLERANCE = 1e-12;

test('the experts of a layer, one by one, give what the pair of matrices gives', (t) => {
  const { facts, weights, wanted } = openFixture<
    Pick<ExpertLoraOptions, 'experts' | 'totalRank' | 'alpha'>
  >(import.meta.dirname, 'experts');
  const comparison = new Comparison(wanted, TOLERANCE);
  const part = (name: string): Tensor => weights.get(`expert ${name}`) as Tensor;
  for (const scaleBy of ['total-rank', 'expert-rank'] as const) {
    const layer = new ExpertLoraLinear(
      new Linear(part('weight'), part('bias')),
      { ...facts, dropout: 0, scaleBy },
      new Generator(1),
    );
    layer.to('cpu', 'float64');
    noGrad(() => {
      copy_(layer.down, part('down'));
      copy_(layer.up, part('up'));
    });
    const x = clone(part('x')).setRequiresGrad(true);
    const gates = clone(part('gates')).setRequiresGrad(true);
    const y = layer.forward(x, { gates_BE: gates });
    sum(mul(y, uniform('expert mixture', y.shape))).backward();
    comparison.check(`${scaleBy} y`, y);
    for (const [name, tensor] of Object.entries({ x, gates, down: layer.down, up: layer.up }))
      comparison.check(`${scaleBy} gradient ${name}`, tensor.grad as Tensor);
  }
  t.diagnostic(comparison.finish());
});

const gates: Record<string, (width: number, experts: number) => Gate> = {
  linear: (width, experts) => new LinearGate(width, experts, new Generator(1)),
  conv: (_, experts) => new ConvGate(experts, 'instance', new Generator(1)),
  'conv-batch-norm': (_, experts) => new ConvGate(experts, 'batch', new Generator(1)),
};

for (const [kind, make] of Object.entries(gates)) {
  test(`the ${kind} gate: weights, gradients and statistics, in training and after it`, (t) => {
    const { facts, weights, wanted } = openFixture<{ experts: number; width: number }>(
      import.meta.dirname,
      `gate-${kind}`,
    );
    const comparison = new Comparison(wanted, TOLERANCE);
    const gate = make(facts.width, facts.experts);
    gate.to('cpu', 'float64');
    const named = (tensors: Iterable<[string, Tensor]>): Map<string, Tensor> =>
      new Map([...tensors].map(([key, tensor]) => [`gate.${key}`, tensor]));
    const parameters = named(gate.namedParameters());
    assert.equal(parameters.size, weights.size - 1);
    noGrad(() => {
      for (const [key, tensor] of parameters) copy_(tensor, weights.get(key) as Tensor);
    });
    const mixture = uniform('gate mixture', [5, facts.experts]);
    for (const use of ['training', 'evaluation'] as const) {
      for (const tensor of parameters.values()) tensor.setGrad();
      const z = clone(weights.get('representations') as Tensor).setRequiresGrad(true);
      const omega = gate.forward(z, { isTraining: use === 'training' });
      sum(mul(omega, mixture)).backward();
      comparison.check(use, omega);
      comparison.check(`${use} gradient representations`, z.grad as Tensor);
      comparison.checkFingerprints(
        `${use} gradients`,
        new Map([...parameters].map(([key, tensor]) => [key, tensor.grad as Tensor])),
      );
    }
    const statistics = [...named(gate.namedTensors())].filter(([, tensor]) => !tensor.requiresGrad);
    if (statistics.length > 0) comparison.checkFingerprints('statistics', new Map(statistics));
    t.diagnostic(comparison.finish());
  });
}
