/** Several adapters over one base: each has modules of its own, and the tensors are there once. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  Adapter,
  type AdapterOptions,
  BasePool,
  openBase,
} from '../../../src/recommenders/index.js';
import { engineThreads, noGrad, scope, Tensor } from '../../../src/tensor/index.js';
import { writeBaseFolder } from '../../support/base-folder.js';
import { temporaryFolder } from '../../support/folder.js';
import { fill_ } from '../../support/numeric.js';

engineThreads(1);

const options: AdapterOptions = {
  ...{ kind: 'lora', rank: 2, alpha: 4, dropout: 0, targets: ['q_proj', 'up_proj'] },
  ...{ experts: 1, scaleBy: 'total-rank', gate: 'linear', hasSlots: false },
};
const place = { device: 'cpu', dtype: 'float32' } as const;
const folder = join(temporaryFolder(), 'model');
writeBaseFolder(folder);

type Model = ReturnType<typeof openBase>['model'];
const states = (model: Model): number[] =>
  noGrad(() =>
    scope(() => model.forward(model.embed(Tensor.from([3, 1, 2], [1, 3], 'int64'))).toNumbers()),
  );

function adapt(model: Model, seed: number): Adapter {
  const adapter = new Adapter(model, options, { representation: 4, items: 4 }, seed);
  for (const [, tensor] of adapter.namedTensors()) noGrad(() => fill_(tensor, seed));
  return adapter;
}

test('two adapters answer at a time as each would alone, and are taken off one by one', () => {
  const alone = [1, 2].map((seed) => {
    const { model } = openBase(folder, place);
    adapt(model, seed);
    return states(model);
  });
  const bare = states(openBase(folder, place).model);
  const pool = new BasePool();
  const [first, second] = [pool.get(folder, place).model, pool.get(folder, place).model];
  const [one] = [adapt(first, 1), adapt(second, 2)];
  assert.deepEqual([states(first), states(second)], alone);
  assert.notDeepEqual(alone[0], alone[1]);
  one.remove();
  assert.deepEqual([states(first), states(second)], [bare, alone[1]]);
  assert.deepEqual(states(pool.get(folder, place).model), bare);
});

test('the tensors are opened once for each number type', () => {
  const pool = new BasePool();
  const tensorsOf = (dtype: 'float32' | 'bfloat16') =>
    new Map(pool.get(folder, { ...place, dtype }).model.namedTensors());
  const [one, again, other] = [tensorsOf('float32'), tensorsOf('float32'), tensorsOf('bfloat16')];
  for (const [key, tensor] of one) {
    assert.equal(again.get(key), tensor);
    assert.notEqual(other.get(key), tensor);
  }
});
