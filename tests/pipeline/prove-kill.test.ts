/** The short form of `npm run prove:kill`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proof } from './proof.js';

/** What the document holds of one part: how much was tried, how much went well. */
interface Document {
  ok: boolean;
  failures: string[];
  kills: number;
  faults: {
    operations: number;
    tried: Record<string, number>;
    resumed: number;
    equal: number;
    example: string;
  };
  processes: { kills: number; runs: number; equal: number };
  flips: { tried: number; caught: number; fellBack: number };
}

test('killed, torn, full and broken runs resume to the same bits; changed bytes are noticed', {
  skip: process.platform === 'linux' ? false : 'the preloaded library is made for Linux',
}, () => {
  const { status, stderr, document } = proof('kill');
  assert.equal(status, 0, stderr);
  const { ok, failures, kills, faults, processes, flips } = document as unknown as Document;
  assert.deepEqual([ok, failures], [true, []]);
  assert.ok(faults.operations > 300, 'a run makes many operations');
  for (const mode of ['kill', 'torn', 'full', 'broken'])
    assert.ok((faults.tried[mode] ?? 0) >= 2, `${mode}: ${faults.tried[mode]}`);
  assert.deepEqual([faults.resumed, faults.equal], [12, 12]);
  assert.match(faults.example, /RUN\/.*no space left on the device \(ENOSPC\) — free some space/);
  assert.ok(kills >= 8);
  assert.equal(processes.equal, processes.runs);
  assert.equal(flips.caught, flips.tried);
  assert.ok(flips.tried >= 20 && flips.fellBack === 4, JSON.stringify(flips));
});
