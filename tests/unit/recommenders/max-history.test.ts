/** Sequence models whose histories are longer than the dataset's window, built as a run builds them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset } from '../../../src/data/index.js';
import {
  encoderMethods,
  type Method,
  SequenceEncoder,
  type SequenceLearner,
} from '../../../src/recommenders/index.js';
import { engineThreads } from '../../../src/tensor/index.js';
import { resolveSettings } from '../../../src/training/index.js';
import { close } from '../../support/numeric.js';

engineThreads(1);

const items = Int32Array.from({ length: 31 }, (_, i) => i % 12);

const dataset = {
  catalog: { size: 12 },
  manifest: { window: { maxHistory: 6 } },
  sequencesOf: () => [{ user: 'u', items }],
} as unknown as Dataset;

function made(method: Method, section: object) {
  const said = { method: method.name, data: 'data', out: 'out', [method.name]: section };
  const settings = resolveSettings(said, 'test');
  const model = method.build(settings, { dataset });
  const { encoder } = model;
  assert.ok(encoder instanceof SequenceEncoder && method.learning.kind === 'gradients');
  const learner = method.learning.learner(model, settings, { dataset }) as SequenceLearner;
  return { encoder, learner, settings };
}

for (const method of encoderMethods()) {
  const { name } = method;

  test(`${name}: max_history sets the longest history and the length of chunks, else the dataset's window does`, () => {
    const plain = made(method, { width: 8 });
    const long = made(method, { width: 8, max_history: 20 });
    assert.deepEqual([plain.encoder.maxHistory, long.encoder.maxHistory], [6, 20]);
    assert.deepEqual([plain.learner.examples, long.learner.examples], [6, 3]);
    const values = [...long.encoder.namedTensors()].reduce((sum, [, { size }]) => sum + size, 0);
    assert.ok(method.leastValues(long.settings, { dataset }) <= values);
    const history = [...items.subarray(0, 25)];
    const whole = long.encoder.represent([history]);
    close(long.encoder.represent([history.slice(-20)]), whole, 0);
    assert.notDeepEqual(
      long.encoder.represent([history.slice(-6)]).toNumbers(),
      whole.toNumbers(),
      'items before the window count',
    );
  });

  test(`${name}: a max_history that is no count is refused`, () => {
    for (const wrong of [0, -1, 2.5, '10'])
      assert.throws(() => made(method, { max_history: wrong }), {
        code: 'settings',
        message: /max_history/,
      });
  });
}
