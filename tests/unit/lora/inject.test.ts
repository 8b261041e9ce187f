/** Putting adapters on and taking them off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inject, LLAMA_PROJECTIONS, LoraLinear, remove } from '../../../src/lora/index.js';
import { Linear } from '../../../src/nn/index.js';
import { engineThreads, Generator } from '../../../src/tensor/index.js';
import { tinyLlama } from '../../support/models.js';
import { fill_, noise } from '../../support/numeric.js';

engineThreads(1);

const wrap = (layer: Linear): LoraLinear =>
  new LoraLinear(layer, { rank: 2, alpha: 4, dropout: 0 }, new Generator(1));

test('paths are checkpoint keys, and adapters stand where the layers stood', () => {
  const model = tinyLlama();
  const injected = inject(model, ['q_proj', 'down_proj'], wrap);
  assert.deepEqual(
    injected.map(({ path }) => path),
    [0, 1].flatMap((layer) => [
      `layers.${layer}.self_attn.q_proj`,
      `layers.${layer}.mlp.down_proj`,
    ]),
  );
  assert.equal(model.layers[1]!.selfAttn.qProj, injected[2]!.adapter);
  assert.ok(model.layers[1]!.selfAttn.kProj instanceof Linear);
});

test('a layer of the model itself has its name as path', () => {
  const [injected] = inject(tinyLlama(), ['lm_head'], wrap);
  assert.equal(injected?.path, 'lm_head');
});

test('after remove the model has its own layers and computes what it did', () => {
  const model = tinyLlama();
  const layers = model.layers.flatMap(({ selfAttn, mlp }) => [
    ...Object.values(selfAttn),
    mlp.upProj,
  ]);
  const x = noise([1, 4, 16], 3);
  model.to('cpu', 'float64');
  const before = model.forward(x).toNumbers();
  const injected = inject(model, LLAMA_PROJECTIONS, wrap);
  for (const { adapter } of injected) {
    adapter.to('cpu', 'float64');
    fill_(adapter.up, 5);
  }
  assert.notDeepEqual(model.forward(x).toNumbers(), before);
  remove(injected);
  assert.deepEqual(model.forward(x).toNumbers(), before);
  assert.deepEqual(
    model.layers.flatMap(({ selfAttn, mlp }) => [...Object.values(selfAttn), mlp.upProj]),
    layers,
  );
});

test('targets that match nothing are named and leave the model as it was', () => {
  const model = tinyLlama();
  assert.throws(() => inject(model, ['q_proj', 'c_attn', 'w1'], wrap), {
    code: 'usage',
    message: 'inject(targets): expected names of linear layers of this model, got ["c_attn", "w1"]',
  });
  assert.ok(model.layers[0]!.selfAttn.qProj instanceof Linear);
});

test('a second injection into the same layers is refused until the first is removed', () => {
  const model = tinyLlama();
  const first = inject(model, ['q_proj'], wrap);
  assert.throws(() => inject(model, ['q_proj'], wrap), /inject\(targets\)/);
  remove(first);
  assert.equal(inject(model, ['q_proj'], wrap).length, 2);
});
