/** The short form of `npm run prove:mutants`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TARGETS } from '../../prove/mutants/targets.js';
import type { TargetReport } from '../../prove/mutants.js';
import { proof } from './proof.js';

test('small faults in the code are noticed by its own tests, and every one that lives is explained', () => {
  const { status, stderr, document } = proof('mutants');
  assert.equal(status, 0, stderr);
  const { ok, failures, by_target } = document as {
    ok: boolean;
    failures: string[];
    by_target: Record<string, TargetReport>;
  };
  assert.deepEqual(failures, []);
  assert.equal(ok, true);
  assert.deepEqual(
    Object.keys(by_target),
    TARGETS.map(({ name }) => name),
  );
  for (const { tried, killed } of Object.values(by_target)) assert.ok(tried > 0 && killed > 0);
});
