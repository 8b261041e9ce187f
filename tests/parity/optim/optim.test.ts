/**
 * Adam, AdamW and clipping agree with torch's, the schedule with transformers' and torch's; in double
 * precision, see generate.py.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Adam,
  type AdamOptions,
  clipGradients,
  type ScheduleOptions,
  warmupCosine,
} from '../../../src/optim/index.js';
import { engineThreads, type Tensor } from '../../../src/tensor/index.js';
import { Comparison, openFixture } from '../support/fixture.js';
import { uniform } from '../support/numbers.js';

engineThreads(1);

/** Double precision on both sides; the largest relative error seen was 3.3e-16. */
const TOLERANCE = 1e-13;

interface Facts {
  groups: {
    name: string;
    shapes: Record<string, number[]>;
    learningRate: number;
    weightDecay: number;
  }[];
  options: (Required<AdamOptions> & { name: string })[];
  steps: number;
  clip: number;
  missing: { key: string; steps: number[] };
  schedules: (ScheduleOptions & { by: string })[];
}

const { facts, wanted } = openFixture<Facts>(import.meta.dirname, 'torch');
const comparison = new Comparison(wanted, TOLERANCE);

for (const { name, ...options } of facts.options) {
  test(`${name}: parameters after each step and clipped gradients are torch's`, () => {
    const groups = facts.groups.map(({ shapes, ...group }) => ({
      ...group,
      parameters: new Map(
        Object.entries(shapes).map(([key, shape]) => [
          key,
          uniform(`start of ${key}`, shape).setRequiresGrad(true),
        ]),
      ),
    }));
    const all = groups.flatMap((group) => [...group.parameters]);
    const optimizer = new Adam(groups, options);
    const norms: number[] = [];
    const clipped: number[] = [];
    const after: number[] = [];
    for (let step = 0; step < facts.steps; step++) {
      const isMissing = (key: string): boolean =>
        key === facts.missing.key && facts.missing.steps.includes(step);
      for (const [key, tensor] of all) {
        const gradient = uniform(`gradient ${key} ${step}`, tensor.shape, {
          spread: 10 ** ((step % 3) - 1),
        });
        tensor.setGrad(isMissing(key) ? undefined : gradient);
      }
      norms.push(clipGradients(optimizer.parameters, facts.clip));
      clipped.push(...((all[0] as [string, Tensor])[1].grad as Tensor).toNumbers());
      optimizer.step(1 / (1 + step));
      after.push(...all.flatMap(([, tensor]) => tensor.toNumbers()));
    }
    const exceeding = norms.filter((norm) => norm > facts.clip).length;
    assert.ok(exceeding > 0 && exceeding < facts.steps, 'some steps are clipped, some not');
    comparison.checkFlat(`${name} norms`, norms);
    comparison.checkFlat(`${name} clipped`, clipped);
    comparison.checkFlat(`${name} parameters`, after);
  });
}

for (const [number, { by, ...options }] of facts.schedules.entries()) {
  test(`warm-up of ${options.warmupSteps} of ${options.totalSteps} steps from ${options.startFactor}, cosine to ${options.endFactor}: the rates of ${by}`, () => {
    const factor = warmupCosine(options);
    const factors = Array.from({ length: options.totalSteps + 1 }, (_, step) => factor(step));
    comparison.checkFlat(`schedule ${number}`, factors);
  });
}

test('all values of the fixture were compared', (t) => t.diagnostic(comparison.finish()));
