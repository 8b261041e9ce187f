/** What every encoder keeps, over the registry. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { overwrite } from '../../src/nn/index.js';
import { type Encoder, encoderMethods } from '../../src/recommenders/index.js';
import { encoderOf } from '../../src/recommenders/registry.js';
import { engineThreads, noGrad, scope, type Tensor } from '../../src/tensor/index.js';
import { leaksNothing } from '../support/leak.js';
import { close } from '../support/numeric.js';
import { makeWorld, type World } from './world.js';

engineThreads(1);

const histories = [[1, 2, 3], [8], [39, 0, 12, 7, 7, 21, 5], [30, 31]] as const;

const numbers = (make: () => Tensor): number[] => noGrad(() => scope(() => make().toNumbers()));

let world: World;
before(async () => {
  world = await makeWorld();
});

for (const { name } of encoderMethods())
  describe(`${name} as an encoder`, () => {
    let encoder: Encoder;
    before(() => {
      encoder = world.runs.get(name)!.model.encoder!;
    });
    const represent = (asked: readonly (readonly number[])[]): number[] =>
      numbers(() => encoder.represent(asked));

    it('gives a vector per history and a vector per item, of the widths that it says', () => {
      const { width, representationWidth } = encoder;
      const shapes = noGrad(() =>
        scope(() => [encoder.represent(histories).shape, encoder.itemVectors([3, 0, 3]).shape]),
      );
      assert.deepEqual(shapes, [
        [histories.length, representationWidth],
        [3, width],
      ]);
      assert.ok(represent(histories).every(Number.isFinite));
    });

    it('a vector depends on its own history alone', () => {
      const all = represent(histories);
      const S = encoder.representationWidth;
      for (const [i, history] of histories.entries())
        close(represent([history]), all.slice(i * S, (i + 1) * S), 1e-5);
    });

    it('different histories have different vectors, and so have different items', () => {
      assert.notDeepEqual(represent([[1, 2, 3]]), represent([[3, 2, 1]]));
      assert.notDeepEqual(
        numbers(() => encoder.itemVectors([1])),
        numbers(() => encoder.itemVectors([2])),
      );
    });

    it('of a long history the last items count', () => {
      const long = Array.from({ length: 50 }, (_, i) => (i * 7) % 40);
      close(represent([long]), represent([long.slice(-encoder.maxHistory)]), 1e-5);
    });

    it('an empty history and items outside the catalog are refused', () => {
      assert.throws(() => represent([[1], []]), { code: 'data', message: /at least one item/ });
      for (const item of [world.dataset.catalog.size, -1, 0.5])
        assert.throws(() => represent([[1, item]]), { code: 'data', message: /expected an item/ });
    });

    it('what it says of itself makes the same encoder over the same tensors', () => {
      const { method, options } = structuredClone(encoder.describe());
      assert.equal(method, name);
      const made = encoderOf({ method, options });
      overwrite(new Map(made.namedTensors()), new Map(encoder.namedTensors()), 'test');
      assert.deepEqual(
        numbers(() => made.represent(histories)),
        represent(histories),
      );
      assert.ok([...made.namedTensors()].every(([, { requiresGrad }]) => !requiresGrad));
    });

    it('leaves no tensor alive', () =>
      leaksNothing(() => {
        for (let i = 0; i < 3; i++) represent(histories);
      }));
  });
