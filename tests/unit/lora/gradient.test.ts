/** Gradients of adapters, gates and projector by finite differences in float64. */
import { test } from 'node:test';
import {
  ConvGate,
  ExpertLoraLinear,
  LinearGate,
  LoraLinear,
  Projector,
} from '../../../src/lora/index.js';
import { Linear } from '../../../src/nn/index.js';
import {
  engineThreads,
  Generator,
  mul,
  softmax,
  sum,
  type Tensor,
} from '../../../src/tensor/index.js';
import { checkGradients, fill_, noise } from '../../support/numeric.js';

engineThreads(1);

const mixture = (x: Tensor): Tensor => sum(mul(x, noise(x.shape, 50)));
const frozen = (): Linear => new Linear(noise([5, 4], 9));

test('LoraLinear: gradients of x, down and up', () => {
  const layer = new LoraLinear(frozen(), { rank: 2, alpha: 3, dropout: 0 }, new Generator(1));
  layer.to('cpu', 'float64');
  fill_(layer.up, 3);
  const x = noise([2, 3, 4], 4);
  checkGradients(() => mixture(layer.forward(x)), { x, down: layer.down, up: layer.up });
});

test('ExpertLoraLinear: gradients of x, down, up and the gates', () => {
  for (const scaleBy of ['total-rank', 'expert-rank'] as const) {
    const options = { experts: 3, totalRank: 6, alpha: 4, dropout: 0, scaleBy };
    const layer = new ExpertLoraLinear(frozen(), options, new Generator(1)).to('cpu', 'float64');
    fill_(layer.up, 3);
    const x = noise([2, 3, 4], 4);
    const logits = noise([2, 3], 6);
    checkGradients(() => mixture(layer.forward(x, { gates_BE: softmax(logits, 1) })), {
      x,
      down: layer.down,
      up: layer.up,
      logits,
    });
  }
});

test('LinearGate: gradients of the representation and its weight', () => {
  const gate = new LinearGate(6, 3, new Generator(1)).to('cpu', 'float64');
  const z = noise([2, 6], 4);
  checkGradients(() => mixture(gate.forward(z, true)), { z, weight: gate.weight });
});

test('ConvGate over instances: gradients of the representation and of every kind of parameter', () => {
  const gate = new ConvGate(3, 'instance', new Generator(1)).to('cpu', 'float64');
  const z = noise([2, 12], 4);
  const [, , , third] = gate.blocks;
  checkGradients(
    () => mixture(gate.forward(z, true)),
    {
      z,
      conv: gate.conv,
      normWeight: gate.norm.weight,
      conv1: third!.conv1,
      conv2: third!.conv2,
      normBias: third!.norm2.bias,
      weight: gate.linear.weight,
    },
    1e-6, // a kink of relu may lie within the step
  );
});

test('Projector: gradients of the item vectors and both layers', () => {
  const projector = new Projector(3, 5, new Generator(1)).to('cpu', 'float64');
  const z = noise([2, 3], 4);
  checkGradients(() => mixture(projector.forward(z, 'float64')), {
    z,
    input: projector.input.weight,
    inputBias: projector.input.bias!,
    output: projector.output.weight,
    outputBias: projector.output.bias!,
  });
});
