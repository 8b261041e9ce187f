/** Invariants of the layer with experts, whatever its sizes, ranks, scales and gates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExpertLoraLinear, LoraLinear } from '../../src/lora/index.js';
import { Linear } from '../../src/nn/index.js';
import { Adam } from '../../src/optim/index.js';
import {
  add,
  copy_,
  engineThreads,
  full,
  Generator,
  indexSelect,
  linear,
  matmul,
  mul,
  narrow,
  noGrad,
  RowStreams,
  scope,
  select,
  softmax,
  stack,
  Tensor,
} from '../../src/tensor/index.js';
import { close, fill_, noise } from '../support/numeric.js';
import { layers, permutationOf, runs } from './cases.js';

engineThreads(1);

/** Float64; values of a size of one to some hundreds. */
const EXACT = 1e-9;

type Case = typeof layers extends fc.Arbitrary<infer T> ? T : never;

function expertLayer({ I, O, E, R, alpha, scaleBy, seed }: Case, dropout = 0): ExpertLoraLinear {
  const base = new Linear(noise([O, I], seed + 1), noise([O], seed + 2));
  const options = { experts: E, totalRank: E * R, alpha, dropout, scaleBy };
  const layer = new ExpertLoraLinear(base, options, new Generator(seed)).to('cpu', 'float64');
  fill_(layer.up, seed + 3);
  return layer;
}

const inputOf = ({ B, T, I, seed }: Case): Tensor => noise([B, T, I], seed + 4);
const gatesOf = ({ B, E, seed }: Case): Tensor => softmax(noise([B, E], seed + 5), 1);
const streams = (rows: number): RowStreams =>
  new RowStreams(BigInt64Array.from({ length: rows }, (_, b) => BigInt(b + 1)));

const forAll = (numRuns: number, body: (sizes: Case) => void): void =>
  fc.assert(
    fc.property(layers, (sizes) => scope(() => body(sizes))),
    runs(numRuns),
  );

test('a zero `up`, as every adapter starts with, changes nothing, dropout or not', () => {
  forAll(40, (sizes) => {
    const { B, I, O, E, R, alpha, scaleBy, seed } = sizes;
    const base = new Linear(noise([O, I], seed + 1), noise([O], seed + 2));
    const generator = new Generator(seed);
    const x = inputOf(sizes);
    const wanted = base.forward(x).toNumbers();
    const options = { experts: E, totalRank: E * R, alpha, dropout: 0.5, scaleBy };
    const mixed = new ExpertLoraLinear(base, options, generator);
    const plain = new LoraLinear(base, { rank: R, alpha, dropout: 0.5 }, generator);
    for (const dropout of [undefined, streams(B)]) {
      const gates_BE = gatesOf(sizes);
      assert.deepEqual(mixed.forward(x, { gates_BE, dropout }).toNumbers(), wanted);
      assert.deepEqual(plain.forward(x, { dropout }).toNumbers(), wanted);
    }
  });
});

test('the mixture is W + Σₑ gₑ s Bₑ Aₑ, a dense matrix for each instance', () => {
  forAll(60, (sizes) => {
    const { B, E, R, alpha, scaleBy } = sizes;
    const layer = expertLayer(sizes);
    const x = inputOf(sizes);
    const gates_BE = gatesOf(sizes);
    const scale = scaleBy === 'total-rank' ? alpha / (E * R) : alpha / R;
    const { weight, bias } = layer.base as Linear;
    const rows = Array.from({ length: B }, (_, b) => {
      let dense = weight;
      for (let e = 0; e < E; e++) {
        const product = matmul(narrow(layer.up, 1, e * R, R), narrow(layer.down, 0, e * R, R));
        dense = add(dense, mul(product, gates_BE.toNumbers()[b * E + e] as number), scale);
      }
      return linear(select(x, 0, b), dense, bias);
    });
    close(layer.forward(x, { gates_BE }), stack(rows, 0), EXACT);
  });
});

test('one expert is LoRA: forward, gradients and a step of Adam, with and without dropout', () => {
  forAll(40, (drawn) => {
    const sizes = { ...drawn, E: 1 };
    const { B, R, alpha, seed } = sizes;
    for (const dropout of [0, 0.4]) {
      const one = expertLayer(sizes, dropout);
      const plain = new LoraLinear(one.base, { rank: R, alpha, dropout }, new Generator(seed));
      plain.to('cpu', 'float64');
      noGrad(() => {
        copy_(plain.down, one.down);
        copy_(plain.up, one.up);
      });
      const gates_BE = full([B, 1], 1, { dtype: 'float64' });
      const results = [one, plain].map((layer) => {
        const x = inputOf(sizes).setRequiresGrad(true);
        const y = layer.forward(x, { gates_BE, dropout: streams(B) });
        y.backward(noise(y.shape, seed + 6));
        const gradients = [x, layer.down, layer.up].map((tensor) => tensor.grad as Tensor);
        const adam = new Adam([
          {
            name: 'lora',
            parameters: new Map([...layer.namedParameters()]),
            learningRate: 0.1,
            weightDecay: 0,
          },
        ]);
        adam.step();
        return [y, ...gradients, layer.down, layer.up].map((tensor) => tensor.toNumbers());
      }) as [number[][], number[][]];
      for (const [i, values] of results[0].entries()) close(values, results[1][i]!, EXACT, `${i}`);
    }
  });
});

test('permuting the batch with its gates and streams permutes the result', () => {
  forAll(40, (sizes) => {
    const { B, seed } = sizes;
    const layer = expertLayer(sizes, 0.3);
    const order = permutationOf(B, seed);
    const places = Tensor.from(BigInt64Array.from(order, BigInt));
    const keys = BigInt64Array.from({ length: B }, (_, b) => BigInt(7 * b + 1));
    const [x, gates_BE] = [inputOf(sizes), gatesOf(sizes)];
    const straight = layer.forward(x, { gates_BE, dropout: new RowStreams(keys) });
    const permuted = layer.forward(indexSelect(x, 0, places), {
      gates_BE: indexSelect(gates_BE, 0, places),
      dropout: new RowStreams(BigInt64Array.from(order, (b) => keys[b] as bigint)),
    });
    close(permuted, indexSelect(straight, 0, places), EXACT);
  });
});

test('a row alone gives what it gives among others and with positions behind it, dropout included', () => {
  forAll(40, (sizes) => {
    const { B, T } = sizes;
    const layer = expertLayer(sizes, 0.3);
    const [x, gates_BE] = [inputOf(sizes), gatesOf(sizes)];
    const keys = BigInt64Array.from({ length: B }, (_, b) => BigInt(7 * b + 1));
    const together = layer.forward(x, { gates_BE, dropout: new RowStreams(keys) });
    for (let b = 0; b < B; b++) {
      const length = 1 + (b % T);
      const alone = layer.forward(narrow(narrow(x, 0, b, 1), 1, 0, length), {
        gates_BE: narrow(gates_BE, 0, b, 1),
        dropout: new RowStreams(keys.slice(b, b + 1)),
      });
      close(alone, narrow(narrow(together, 0, b, 1), 1, 0, length), EXACT);
    }
  });
});
