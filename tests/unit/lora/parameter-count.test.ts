/** Numbers of trained values in closed form, as the papers count them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Llama } from '../../../src/llama/index.js';
import {
  ConvGate,
  ExpertLoraLinear,
  inject,
  LinearGate,
  LLAMA_PROJECTIONS,
  LoraLinear,
  Projector,
} from '../../../src/lora/index.js';
import type { LinearLayer } from '../../../src/nn/index.js';
import { engineThreads, expand, full, Generator } from '../../../src/tensor/index.js';
import { expectedShapes, type ModelConfig } from '../../../src/weights/model-config.js';
import { tinyConfig, tinyLlama } from '../../support/models.js';

engineThreads(1);

/** Σ over layers and projections of R · (I + O). */
function loraValues(config: ModelConfig, rank: number): number {
  const { hiddenSize: D, intermediateSize: F, numLayers, numHeads, numKvHeads, headDim } = config;
  const Q = numHeads * headDim;
  const KV = numKvHeads * headDim;
  const attention = D + Q + 2 * (D + KV) + (Q + D);
  const feedForward = 3 * (D + F);
  return numLayers * rank * (attention + feedForward);
}

const llama2: ModelConfig = {
  ...tinyConfig,
  vocabSize: 32_000,
  hiddenSize: 4096,
  intermediateSize: 11_008,
  numLayers: 32,
  numHeads: 32,
  numKvHeads: 32,
  headDim: 128,
};

/** A Llama of any shape whose weights are one zero each, seen at every place. */
function hollow(config: ModelConfig): Llama {
  const shapes = expectedShapes(config);
  return new Llama(config, (key) => expand(full([1], 0), shapes.get(key) as readonly number[]));
}

const trained = (layers: readonly { adapter: LinearLayer }[]): number =>
  layers.reduce((total, { adapter }) => total + adapter.trainableParameters, 0);

test('rank 8 on the seven projections of Llama-2-7B has 19,988,480 values, experts or not', () => {
  assert.equal(loraValues(llama2, 8), 19_988_480);
  const model = hollow(llama2);
  assert.equal(model.parameterCount, 6_738_415_616);
  // Two of 32 equal layers are enough to count by; the factors of all would take 80 MB.
  const two = { ...llama2, numLayers: 2 };
  const generator = new Generator(1);
  const plain = inject(
    hollow(two),
    LLAMA_PROJECTIONS,
    (layer) => new LoraLinear(layer, { rank: 8, alpha: 32, dropout: 0 }, generator),
  );
  assert.equal(trained(plain) * 16, 19_988_480);
  const options = {
    experts: 4,
    totalRank: 8,
    alpha: 32,
    dropout: 0,
    scaleBy: 'total-rank',
  } as const;
  const mixed = inject(
    hollow(two),
    LLAMA_PROJECTIONS,
    (layer) => new ExpertLoraLinear(layer, options, generator),
  );
  assert.equal(trained(mixed) * 16, 19_988_480);
});

test('the closed form holds for grouped heads', () => {
  const model = tinyLlama();
  const injected = inject(
    model,
    LLAMA_PROJECTIONS,
    (layer) => new LoraLinear(layer, { rank: 3, alpha: 1, dropout: 0 }, new Generator(1)),
  );
  assert.equal(injected.length, 14);
  assert.equal(trained(injected), loraValues(tinyConfig, 3));
});

test('a linear gate has E · M values: 256 at 4 experts and width 64', () => {
  assert.equal(new LinearGate(64, 4, new Generator(1)).trainableParameters, 256);
});

test("the authors' convolution gate has 90,772 values at 4 experts, with either norm", () => {
  for (const norm of ['instance', 'batch'] as const)
    assert.equal(new ConvGate(4, norm, new Generator(1)).trainableParameters, 90_772);
});

test('a projector from 64 to 4096 has 17,047,552 values', () => {
  assert.equal(new Projector(64, 4096, new Generator(1)).trainableParameters, 17_047_552);
});
