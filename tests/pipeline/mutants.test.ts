/** The short form of `npm run prove:mutants`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TARGETS } from '../../prove/mutants/targets.js';
import type { TargetReport } from '../../prove/mutants.js';
import { proof } from './proof.js';

test('small faults in the code are noticed by its own tests, and every one that lives is explained', () => {
  const { status, stderr, document } = proof('mutants');
  assert.equal(status, 0, stderr);
  const { ok, failures, byTarget } = document as {
    ok: boolean;
    failures: string[];
    byTarget: Record<string, TargetReport>;
  };
  assert.deepEqual(failures, []);
  assert.equal(ok, true);
  assert.deepEqual(
    Object.keys(byTarget),
    TARGETS.map(({ name }) => name),
  );
  for (const { tried, killed } of Object.values(byTarget)) assert.ok(tried > 0 && killed > 0);
});
