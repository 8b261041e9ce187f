/** Warm-up and cosine by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmupCosine } from '../../../src/optim/index.js';
import { close } from '../../support/numeric.js';

const at = (factor: (step: number) => number, steps: readonly number[]): number[] =>
  steps.map(factor);

test('the warm-up is a line from 1/100 to 1, the rest half a cosine down to 1/100', () => {
  const factor = warmupCosine({ totalSteps: 12, warmupSteps: 4 });
  close(at(factor, [0, 1, 2, 3, 4]), [0.01, 0.2575, 0.505, 0.7525, 1], 1e-12);
  // Progress 1/4, 1/2, 3/4, 1 of the cosine: 0.01 + 0.99 · (1 + cos(π p)) / 2.
  close(
    at(factor, [6, 8, 10, 12]),
    [0.01 + (0.99 * (1 + Math.SQRT1_2)) / 2, 0.505, 0.01 + (0.99 * (1 - Math.SQRT1_2)) / 2, 0.01],
    1e-12,
  );
});

test('past the end the factor stays where it ended', () => {
  const factor = warmupCosine({ totalSteps: 12, warmupSteps: 4 });
  close(at(factor, [13, 1000]), [0.01, 0.01], 1e-12);
});

test('without warm-up it starts at 1, and with all steps in it it never falls', () => {
  assert.equal(warmupCosine({ totalSteps: 5, warmupSteps: 0 })(0), 1);
  const factor = warmupCosine({ totalSteps: 4, warmupSteps: 4, startFactor: 0 });
  assert.deepEqual(at(factor, [0, 1, 2, 3, 4]), [0, 0.25, 0.5, 0.75, 1]);
});

test('one step is enough, and a single step behind the warm-up ends the cosine', () => {
  close(at(warmupCosine({ totalSteps: 1, warmupSteps: 0 }), [0, 1]), [1, 0.01], 1e-12);
  close(at(warmupCosine({ totalSteps: 5, warmupSteps: 4 }), [4, 5]), [1, 0.01], 1e-12);
});

test('an end factor of 1 keeps the rate after the warm-up', () => {
  const factor = warmupCosine({ totalSteps: 10, warmupSteps: 2, endFactor: 1 });
  assert.deepEqual(at(factor, [2, 5, 9]), [1, 1, 1]);
});

test('no steps, and a warm-up outside them, are refused', () => {
  const bad = [
    { totalSteps: 0, warmupSteps: 0 },
    { totalSteps: Number.NaN, warmupSteps: 0 },
    { totalSteps: 4, warmupSteps: 5 },
    { totalSteps: 4, warmupSteps: -1 },
  ];
  for (const options of bad)
    assert.throws(() => warmupCosine(options), {
      code: 'usage',
      message: /^warmupCosine: expected/,
    });
});
