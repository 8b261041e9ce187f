/** Invariants of every gate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConvGate, type Gate, LinearGate } from '../../src/lora/index.js';
import {
  engineThreads,
  Generator,
  indexSelect,
  mul,
  narrow,
  scope,
  sum,
  Tensor,
} from '../../src/tensor/index.js';
import { close, noise } from '../support/numeric.js';
import { permutationOf, runs, seeds } from './cases.js';

engineThreads(1);

const sizes = fc.record({
  B: fc.integer({ min: 2, max: 5 }),
  E: fc.integer({ min: 1, max: 6 }),
  M: fc.constantFrom(8, 16, 64),
  /** From representations that hardly differ to such that saturate the softmax. */
  scale: fc.constantFrom(1e-6, 1, 30, 1e4),
  seed: seeds,
});
type Case = typeof sizes extends fc.Arbitrary<infer T> ? T : never;

const makers: Record<string, (sizes: Case) => Gate> = {
  linear: ({ M, E, seed }) => new LinearGate(M, E, new Generator(seed)),
  'conv over instances': ({ E, seed }) => new ConvGate(E, 'instance', new Generator(seed)),
  'conv with batch norm': ({ E, seed }) => new ConvGate(E, 'batch', new Generator(seed)),
};

const forAll = (make: (drawn: Case) => Gate, body: (gate: Gate, z: Tensor, drawn: Case) => void) =>
  fc.assert(
    fc.property(sizes, (drawn) =>
      scope(() => {
        const gate = make(drawn).to('cpu', 'float64');
        body(gate, mul(noise([drawn.B, drawn.M], drawn.seed), drawn.scale), drawn);
      }),
    ),
    runs(8),
  );

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: rows are not negative and sum to 1, in training and in evaluation`, () => {
    forAll(make, (gate, z, { B, E }) => {
      for (const isTraining of [false, true]) {
        const gates_BE = gate.forward(z, { isTraining });
        assert.deepEqual(gates_BE.shape, [B, E]);
        close(sum(gates_BE, [1]), new Array(B).fill(1), 1e-12);
        assert.ok(gates_BE.toNumbers().every((value) => value >= 0));
      }
    });
  });

  test(`${name}: permuting the batch permutes the gates, in training too`, () => {
    forAll(make, (gate, z, { B, seed }) => {
      const order = Tensor.from(BigInt64Array.from(permutationOf(B, seed), BigInt));
      for (const isTraining of [false, true]) {
        const use = { isTraining, movesStatistics: false };
        const permuted = gate.forward(indexSelect(z, 0, order), use);
        close(permuted, indexSelect(gate.forward(z, use), 0, order), 1e-9);
      }
    });
  });

  test(`${name}: an instance's gate is its own in evaluation${name.includes('batch') ? '' : ', and in training'}`, () => {
    forAll(make, (gate, z, { B }) => {
      for (const isTraining of gate.dependsOnBatch ? [false] : [false, true]) {
        const all = gate.forward(z, { isTraining });
        for (let b = 0; b < B; b++)
          close(gate.forward(narrow(z, 0, b, 1), { isTraining }), narrow(all, 0, b, 1), 1e-9);
      }
    });
  });
}
