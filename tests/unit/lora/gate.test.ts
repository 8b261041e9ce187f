/** Gates: their formulas, and what a batch norm brings. Invariants of all gates: tests/invariants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConvGate, type Gate, LinearGate } from '../../../src/lora/index.js';
import {
  engineThreads,
  exp,
  Generator,
  linear,
  narrow,
  type Tensor,
} from '../../../src/tensor/index.js';
import { close, fill_, noise } from '../../support/numeric.js';

engineThreads(1);

test('the linear gate is softmax(W z), by hand', () => {
  const gate = new LinearGate(16, 4, new Generator(1)).to('cpu', 'float64');
  const z = noise([2, 16], 3);
  const unnormalised = exp(linear(z, gate.weight)).toNumbers();
  const wanted = [0, 1].flatMap((b) => {
    const row = unnormalised.slice(b * 4, b * 4 + 4);
    const total = row.reduce((a, c) => a + c);
    return row.map((value) => value / total);
  });
  close(gate.forward(z), wanted, 1e-12);
});

test('a gate of groups is a softmax in each, and a temperature divides the logits', () => {
  const z = noise([2, 16], 3);
  const gate = new LinearGate(16, 2, new Generator(1), { groups: 3, temperature: 0.5 });
  gate.to('cpu', 'float64');
  assert.deepEqual(gate.weight.shape, [6, 16]);
  const unnormalised = exp(linear(z, gate.weight))
    .toNumbers()
    .map((value) => value ** 2);
  const wanted = unnormalised.map((value, i) => value / (value + (unnormalised[i ^ 1] as number)));
  close(gate.forward(z), wanted, 1e-12);
  assert.throws(() => new LinearGate(16, 2, new Generator(1), { temperature: 0 }), {
    code: 'usage',
    message: 'LinearGate(temperature): expected a number above 0, got 0',
  });
});

test('in training too, an instance norm keeps batch mates apart and a batch norm does not', () => {
  const z = noise([3, 16], 3);
  const other = noise([3, 16], 4);
  fill_(narrow(other, 0, 0, 1), 11);
  fill_(narrow(z, 0, 0, 1), 11);
  const first = (gate: Gate, x: Tensor): number[] =>
    gate.forward(x, { isTraining: true }).toNumbers().slice(0, 4);
  const instance = new ConvGate(4, 'instance', new Generator(1));
  close(first(instance, z), first(instance, other), 1e-6);
  const batch = new ConvGate(4, 'batch', new Generator(1));
  assert.notDeepEqual(first(batch, z), first(batch, other));
});

test('a batch norm keeps running statistics, which are saved but not trained', () => {
  const gate = new ConvGate(4, 'batch', new Generator(1));
  const running = [...gate.namedTensors()].filter(([key]) => key.includes('running'));
  assert.ok(running.length > 0);
  assert.ok(running.every(([, tensor]) => !tensor.requiresGrad));
  const before = gate.norm.runningMean!.toNumbers();
  gate.forward(noise([3, 16], 3));
  assert.deepEqual(gate.norm.runningMean!.toNumbers(), before);
  gate.forward(noise([3, 16], 3), { isTraining: true });
  const after = gate.norm.runningMean!.toNumbers();
  assert.notDeepEqual(after, before);
  const use = { isTraining: true, movesStatistics: false };
  const again = gate.forward(noise([3, 16], 3), use);
  assert.deepEqual(gate.norm.runningMean!.toNumbers(), after);
  close(again, gate.forward(noise([3, 16], 3), { isTraining: true }), 1e-6);
});

test('a batch of one has no variance: in training too, the running statistics stand in for it', () => {
  const gate = new ConvGate(4, 'batch', new Generator(1)).to('cpu', 'float64');
  gate.forward(noise([5, 16], 7), { isTraining: true });
  const running = (): number[] =>
    [...gate.namedTensors()]
      .filter(([key]) => key.includes('running'))
      .flatMap(([, tensor]) => tensor.toNumbers());
  const before = running();
  const one = noise([1, 16], 3);
  assert.deepEqual(
    gate.forward(one, { isTraining: true }).toNumbers(),
    gate.forward(one).toNumbers(),
  );
  assert.deepEqual(running(), before);
  // Two are enough.
  const two = noise([2, 16], 3);
  assert.notDeepEqual(
    gate.forward(two, { isTraining: true }).toNumbers(),
    gate.forward(two).toNumbers(),
  );
  assert.notDeepEqual(running(), before);
});

test('every norm of a new gate starts as weight 1 and bias 0, its statistics as mean 0 and variance 1', () => {
  const starts = { 'norm.weight': 1, 'norm.bias': 0, running_mean: 0, running_var: 1 };
  const gate = new ConvGate(4, 'batch', new Generator(1));
  for (const [ending, start] of Object.entries(starts)) {
    const pattern = new RegExp(`${ending.replace('norm', 'norm[12]?')}$`);
    const found = [...gate.namedTensors()].filter(([key]) => pattern.test(key));
    assert.equal(found.length, 1 + 2 * 9, ending);
    for (const [key, tensor] of found)
      assert.deepEqual(new Set(tensor.toNumbers()), new Set([start]), key);
  }
});

test('of the three gates only the one with batch norm depends on its batch', () => {
  const generator = new Generator(1);
  const gates = [
    new LinearGate(16, 4, generator),
    new ConvGate(4, 'instance', generator),
    new ConvGate(4, 'batch', generator),
  ];
  assert.deepEqual(
    gates.map(({ dependsOnBatch }) => dependsOnBatch),
    [false, false, true],
  );
});

test('a representation of another width is named', () => {
  const gate = new LinearGate(16, 4, new Generator(1));
  assert.throws(() => gate.forward(noise([2, 15], 3)), {
    code: 'shape',
    message: 'LinearGate.forward(representation): expected shape [B, M=16], got [2, 15]',
  });
  const conv = new ConvGate(4, 'instance', new Generator(1));
  assert.throws(() => conv.forward(noise([2, 1, 16], 3)), {
    code: 'shape',
    message: 'ConvGate.forward(representation): expected shape [B, M], got [2, 1, 16]',
  });
});
