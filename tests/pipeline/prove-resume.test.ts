/** The short form of `npm run prove:resume`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proof } from './proof.js';

test('stopped and resumed runs equal uninterrupted ones, and a changed checkpoint is noticed', () => {
  const { status, stderr, document } = proof('resume');
  assert.equal(status, 0, stderr);
  const { ok, runs, interruptions, variants, controls, command, failures } = document as {
    ok: boolean;
    runs: number;
    interruptions: number;
    variants: Record<string, { runs: number; compared: { tensors: number } }>;
    controls: Record<string, string>;
    command: { runs: number; stopped: number; stoppedBeforeTraining: number };
    failures: string[];
  };
  assert.deepEqual(failures, []);
  assert.equal(ok, true);
  assert.deepEqual(Object.keys(variants), [
    'sasrec',
    'lora',
    'linear',
    'workers',
    'conv',
    'convBatchNorm',
  ]);
  for (const [name, variant] of Object.entries(variants)) {
    assert.equal(variant.runs, 1, name);
    assert.ok(variant.compared.tensors >= 80, name);
  }
  assert.equal(runs, 6);
  assert.ok(interruptions >= runs, `${interruptions}`);
  assert.deepEqual(Object.keys(controls), ['a parameter', 'a first moment', 'a second moment']);
  for (const [name, difference] of Object.entries(controls))
    assert.match(difference, /expected|differs/, name);
  assert.deepEqual([command.runs, command.stopped + command.stoppedBeforeTraining], [1, 1]);
});
