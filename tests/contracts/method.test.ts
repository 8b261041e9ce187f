/** What trained models can do is what their method says. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Capability, METHODS, type Method } from '../../src/recommenders/index.js';
import { engineThreads } from '../../src/tensor/index.js';
import { makeWorld, smallSettings, type World } from './world.js';

engineThreads(1);

const CAPABILITIES: readonly Capability[] = [
  'recommender',
  'retriever',
  'encoder',
  'generator',
  'titleReader',
];

describe('trained models', () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
  });

  it('can do what their method says, and nothing else', () => {
    for (const method of METHODS) {
      const { model } = world.runs.get(method.name)!;
      const able = CAPABILITIES.filter((name) => model[name] !== undefined);
      assert.deepEqual(able, method.capabilities, method.name);
      assert.equal(model.recommender.name, method.name);
    }
  });

  it('have at least the values that their method promises', () => {
    for (const method of METHODS as readonly Method[]) {
      const run = world.runs.get(method.name)!;
      const settings = smallSettings(method, world.dataset, 'o');
      const values = [...run.model.state().values()].reduce((sum, { size }) => sum + size, 0);
      const hiddenSize = 16;
      const base = { model: { config: { hiddenSize } } } as never;
      const least = method.leastValues(settings, { dataset: world.dataset, base });
      assert.ok(least <= values || method.learning.kind === 'fit', `${method.name}: ${least}`);
      if (method.learning.kind === 'gradients') assert.ok(least > 0, method.name);
    }
  });
});
