/** The short form of `npm run prove:fuzz`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proof } from './proof.js';

interface Reader {
  inputs: number;
  accepted: number;
  refused: Record<string, number>;
  blocks: string;
  codeShare: number;
}

test('no mutated file kills, hangs or escapes as an error without a type', () => {
  const { status, stderr, document } = proof('fuzz');
  const { ok, inputs, signals, hangs, readers, failures, engine } = document as {
    ok: boolean;
    inputs: number;
    signals: number;
    hangs: number;
    readers: Record<string, Reader>;
    failures: string[];
    engine: { calls: number; refused: number };
  };
  assert.deepEqual(failures, []);
  assert.equal(status, 0, stderr);
  assert.equal(ok, true);
  assert.deepEqual([signals, hangs], [0, 0]);
  assert.equal(Object.keys(readers).length, 15);
  assert.ok(inputs >= 1800, `${inputs}`);
  for (const [name, reader] of Object.entries(readers)) {
    // Seeds are accepted, what takes the place of a file is refused, and the reader was really run.
    const refused = Object.values(reader.refused).reduce((sum, count) => sum + count, 0);
    assert.equal(reader.accepted + refused, reader.inputs, name);
    assert.ok(reader.accepted > 0 && refused > 0, name);
    assert.ok(reader.codeShare > 0.4, `${name}: ${reader.codeShare}`);
  }
  assert.ok(engine.calls > 0 && engine.refused > 0);
});
