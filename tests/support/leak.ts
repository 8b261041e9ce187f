/** Leak checks by the counter of live tensors. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { liveTensors } from '../../src/tensor/index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects what earlier tests have dropped, so that its finalizers hide no leak. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect();
    await setImmediate();
  }
}

/**
 * Fails if more tensors live after the body than before, beside `expected` ones. The collector may
 * free others meanwhile, never add any: what leaks should leak often enough to show.
 */
export async function leaksNothing(body: () => unknown, expected = 0): Promise<void> {
  await settle();
  const before = liveTensors();
  await body();
  const left = liveTensors() - before;
  assert.ok(left <= expected, `${left} tensors are left`);
}
