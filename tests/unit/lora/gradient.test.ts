/** Gradients of adapters, gates and projector by finite differences in float64. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as lora from '../../../src/lora/index.js';
import {
  ConvGate,
  ExpertLoraLinear,
  LinearGate,
  LoraLinear,
  Projector,
} from '../../../src/lora/index.js';
import { Linear, Module } from '../../../src/nn/index.js';
import { engineThreads, Generator, softmax } from '../../../src/tensor/index.js';
import { checkGradients, fill_, mixture, noise } from '../../support/numeric.js';

engineThreads(1);

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

test('ExpertLoraLinear with a gate of its own: gradients of x and of the gate', () => {
  const options = {
    experts: 3,
    totalRank: 6,
    alpha: 4,
    dropout: 0,
    scaleBy: 'total-rank',
  } as const;
  const layer = new ExpertLoraLinear(
    frozen(),
    { ...options, hasOwnGate: true },
    new Generator(1),
  ).to('cpu', 'float64');
  fill_(layer.up, 3);
  const x = noise([2, 3, 4], 4);
  const parameters = Object.fromEntries(layer.namedParameters());
  assert.deepEqual(Object.keys(parameters).sort(), ['down', 'gate.weight', 'up']);
  checkGradients(() => mixture(layer.forward(x)), { x, ...parameters });
});

test('LinearGate in sharper groups: gradients of the representation and its weight', () => {
  const gate = new LinearGate(6, 3, new Generator(1), { groups: 2, temperature: 0.3 });
  gate.to('cpu', 'float64');
  const z = noise([3, 6], 5);
  checkGradients(() => mixture(gate.forward(z)), { z, weight: gate.weight });
});

test('LinearGate: gradients of the representation and its weight', () => {
  const gate = new LinearGate(6, 3, new Generator(1)).to('cpu', 'float64');
  const z = noise([2, 6], 4);
  checkGradients(() => mixture(gate.forward(z)), { z, weight: gate.weight });
});

for (const norm of ['instance', 'batch'] as const) {
  test(`ConvGate over the ${norm}: gradients of the representation and of all parameters`, () => {
    const gate = new ConvGate(3, norm, new Generator(1)).to('cpu', 'float64');
    const z = noise([2, 12], 4);
    const use = { isTraining: true, movesStatistics: false };
    const parameters = Object.fromEntries(gate.namedParameters());
    assert.equal(Object.keys(parameters).length, 3 + 9 * 6 + 2);
    // The norm over a batch of two bends sharply; kinks of relu lie within longer steps.
    const check = { tolerance: 1e-6, step: 1e-6, mostElements: 2 };
    checkGradients(() => mixture(gate.forward(z, use)), { z, ...parameters }, check);
  });
}

test('ConvGate with the statistics it has gathered: gradients in evaluation', () => {
  const gate = new ConvGate(3, 'batch', new Generator(1)).to('cpu', 'float64');
  gate.forward(noise([5, 12], 7), { isTraining: true });
  const z = noise([2, 12], 4);
  checkGradients(
    () => mixture(gate.forward(z)),
    { z, conv: gate.conv, weight: gate.linear.weight },
    1e-6,
  );
});

test('every module of the folder has a case above', () => {
  const modules = Object.entries(lora).filter(
    ([, member]) => typeof member === 'function' && member.prototype instanceof Module,
  );
  const covered = ['ConvGate', 'ExpertLoraLinear', 'LinearGate', 'LoraLinear', 'Projector'];
  assert.deepEqual(modules.map(([name]) => name).sort(), covered);
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
