/** Axis checks and their messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ShapeError } from '../../../src/errors/index.js';
import { dims, engineThreads, scope, zeros } from '../../../src/tensor/index.js';

engineThreads(1);

test('letters name the lengths of axes', () => {
  const { B, T, I } = dims('f(x)', zeros([2, 3, 4]), 'B T I', { I: 4 });
  assert.deepEqual([B, T, I], [2, 3, 4]);
});

test('leading axes may be left open', () => {
  assert.deepEqual(dims('f(x)', zeros([2, 3, 4]), '... I'), { I: 4 });
  assert.deepEqual(dims('f(x)', zeros([4]), '... I'), { I: 4 });
  assert.throws(() => dims('f(x)', zeros([4]), '... T I'), {
    message: 'f(x): expected shape [..., T, I], got [4]',
  });
});

test('a letter that occurs twice must agree', () => {
  assert.deepEqual(dims('f(x)', zeros([3, 3]), 'T T'), { T: 3 });
  assert.throws(() => dims('f(x)', zeros([3, 2]), 'T T'), {
    message: 'f(x): expected shape [T, T], got [3, 2]',
  });
});

test('the message is that of the style guide, and its values are fields', () => {
  assert.throws(
    () => dims('ExpertLoraLinear.forward(gates)', zeros([8, 3]), 'B E', { B: 8, E: 4 }),
    (error: unknown) => {
      assert.ok(error instanceof ShapeError);
      assert.equal(error.code, 'shape');
      assert.equal(
        error.message,
        'ExpertLoraLinear.forward(gates): expected shape [B=8, E=4], got [8, 3]',
      );
      assert.deepEqual(error.details, {
        where: 'ExpertLoraLinear.forward(gates)',
        pattern: 'B E',
        shape: [8, 3],
      });
      return true;
    },
  );
  assert.throws(() => dims('f(x)', zeros([8]), 'B E'), {
    message: 'f(x): expected shape [B, E], got [8]',
  });
});

test('a shape fits exactly if it has the number of axes and the known lengths', () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.integer({ min: 0, max: 3 }), (shape, last) => {
      const isFit = shape.length === 2 && shape[1] === last;
      const check = (): unknown => scope(() => dims('f(x)', zeros(shape), 'B I', { I: last }));
      if (isFit) assert.deepEqual(check(), { B: shape[0], I: last });
      else assert.throws(check, ShapeError);
    }),
    { numRuns: 100, seed: 1 },
  );
});
