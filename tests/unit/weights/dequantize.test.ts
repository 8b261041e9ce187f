import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DEQUANTIZABLE, dequantize } from '../../../src/weights/index.js';

const fixtures = join(import.meta.dirname, '../../fixtures/weights');
const cases = JSON.parse(readFileSync(join(fixtures, 'quant.json'), 'utf8')) as Record<
  string,
  { bytes: string; values: string }
>;

describe('dequantize', () => {
  it('has a fixture for every type', () => {
    assert.deepEqual(Object.keys(cases).sort(), [...DEQUANTIZABLE].sort());
  });
  for (const [type, fixture] of Object.entries(cases)) {
    it(`gives the reference's ${type} values bit for bit`, () => {
      const expected = Uint8Array.from(Buffer.from(fixture.values, 'base64'));
      const bytes = Uint8Array.from(Buffer.from(fixture.bytes, 'base64'));
      const got = dequantize('fixture', { type, bytes, count: expected.length / 4 });
      assert.deepEqual(new Uint8Array(got.buffer), expected);
    });
  }
  it('computes a Q4_1 block by hand: d · q + m', () => {
    const bytes = new Uint8Array(20);
    bytes.set([0x00, 0x38, 0x00, 0xbc]); // d = 0.5, m = -1
    bytes[4] = 0x21; // q0 = 1, q16 = 2
    const values = dequantize('block', { type: 'Q4_1', bytes, count: 32 });
    assert.equal(values[0], -0.5);
    assert.equal(values[16], 0);
    assert.equal(values[1], -1);
  });
  it('names a type it cannot read, and what to do', () => {
    assert.throws(
      () => dequantize('m.gguf: x', { type: 'IQ2_XS', bytes: new Uint8Array(74), count: 256 }),
      { code: 'format', message: /m\.gguf: x: expected a type of .*Q6_K, got "IQ2_XS" — use/ },
    );
  });
});
