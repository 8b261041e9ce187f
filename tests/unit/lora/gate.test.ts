/** Gates: weights of experts that sum to one and depend on their own instance only. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConvGate, type Gate, LinearGate } from '../../../src/lora/index.js';
import {
  engineThreads,
  exp,
  Generator,
  indexSelect,
  linear,
  mul,
  narrow,
  sum,
  Tensor,
} from '../../../src/tensor/index.js';
import { close, fill_, noise } from '../../support/numeric.js';

engineThreads(1);

const makers: Record<string, () => Gate> = {
  linear: () => new LinearGate(16, 4, new Generator(1)),
  'conv over instances': () => new ConvGate(4, 'instance', new Generator(1)),
  'conv with batch norm': () => new ConvGate(4, 'batch', new Generator(1)),
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: rows are positive, sum to 1 and differ between representations`, () => {
    const gate = make();
    for (const isTraining of [false, true]) {
      const gates_BE = gate.forward(mul(noise([5, 16], 3), 3), isTraining);
      assert.deepEqual(gates_BE.shape, [5, 4]);
      close(sum(gates_BE, [1]), [1, 1, 1, 1, 1], 1e-6);
      const values = gates_BE.toNumbers();
      assert.ok(values.every((value) => value > 0));
      assert.notDeepEqual(values.slice(0, 4), values.slice(4, 8));
    }
  });

  test(`${name}: in evaluation an instance's gate does not depend on its batch`, () => {
    const gate = make();
    const z = noise([3, 16], 3);
    const all = gate.forward(z, false);
    for (let b = 0; b < 3; b++)
      close(gate.forward(narrow(z, 0, b, 1), false), narrow(all, 0, b, 1), 1e-6);
    const order = Tensor.from([2, 0, 1], [3], 'int64');
    close(gate.forward(indexSelect(z, 0, order), false), indexSelect(all, 0, order), 1e-6);
  });
}

test('the linear gate is softmax(W z), by hand', () => {
  const gate = new LinearGate(16, 4, new Generator(1)).to('cpu', 'float64');
  const z = noise([2, 16], 3);
  const unnormalised = exp(linear(z, gate.weight)).toNumbers();
  const wanted = [0, 1].flatMap((b) => {
    const row = unnormalised.slice(b * 4, b * 4 + 4);
    const total = row.reduce((a, c) => a + c);
    return row.map((value) => value / total);
  });
  close(gate.forward(z, false), wanted, 1e-12);
});

test('in training too, an instance norm keeps batch mates apart and a batch norm does not', () => {
  const z = noise([3, 16], 3);
  const other = noise([3, 16], 4);
  fill_(narrow(other, 0, 0, 1), 11);
  fill_(narrow(z, 0, 0, 1), 11);
  const first = (gate: Gate, x: Tensor): number[] => gate.forward(x, true).toNumbers().slice(0, 4);
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
  gate.forward(noise([3, 16], 3), false);
  assert.deepEqual(gate.norm.runningMean!.toNumbers(), before);
  gate.forward(noise([3, 16], 3), true);
  assert.notDeepEqual(gate.norm.runningMean!.toNumbers(), before);
});

test('a representation of another width is named', () => {
  const gate = new LinearGate(16, 4, new Generator(1));
  assert.throws(() => gate.forward(noise([2, 15], 3), false), {
    code: 'shape',
    message: 'LinearGate.forward(representation): expected shape [B, M=16], got [2, 15]',
  });
});
