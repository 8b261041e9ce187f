import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { IloraError } from '../../../src/errors/index.js';
import { dequantize, openGguf, readTensorBytes } from '../../../src/weights/index.js';

const tiny = join(import.meta.dirname, '../../fixtures/weights/tiny.gguf');
const folder = mkdtempSync(join(tmpdir(), 'ilora-gguf-'));
after(() => rmSync(folder, { recursive: true }));

/** Opens bytes as a file. */
function openBytes(bytes: Uint8Array): ReturnType<typeof openGguf> {
  const path = join(folder, 'case.gguf');
  writeFileSync(path, bytes);
  return openGguf(path);
}

/** Little-endian pieces of a head: numbers are u32, bigints u64, texts have a length. */
function head(...parts: (number | bigint | string)[]): Buffer {
  const pieces = parts.map((part) => {
    if (typeof part === 'number') return Buffer.from(Uint32Array.of(part).buffer);
    if (typeof part === 'bigint') return Buffer.from(BigUint64Array.of(part).buffer);
    const text = Buffer.from(part);
    return Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(text.length)).buffer), text]);
  });
  return Buffer.concat([Buffer.from('GGUF'), ...pieces]);
}

function rejects(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => openBytes(bytes), { code: 'format', message });
}

describe('openGguf', () => {
  it('reads every type of value', () => {
    const { metadata, version } = openGguf(tiny);
    assert.equal(version, 3);
    const expected: Record<string, unknown> = {
      'general.architecture': 'llama',
      't.u8': 200,
      't.i8': -100,
      't.u16': 60_000,
      't.i16': -30_000,
      't.u32': 4_000_000_000,
      't.i32': -2_000_000_000,
      't.u64': 2 ** 40,
      't.i64': -(2 ** 40),
      't.f32': 0.5,
      't.f64': 0.1,
      't.bool': true,
      't.text': 'äé🎬',
      't.texts': ['a', '', 'ü'],
      't.ints': Int32Array.of(1, -2, 3),
      't.floats': Float32Array.of(0.5, -1.5),
      't.bools': [true, false],
    };
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(metadata.get(key), value);
  });
  it('gives shapes outermost axis first, and the right bytes', () => {
    const { tensors } = openGguf(tiny);
    const f32 = tensors.get('f32');
    const q8 = tensors.get('q8');
    assert.ok(f32 !== undefined && q8 !== undefined);
    assert.deepEqual(f32.shape, [2, 3]);
    const values = dequantize('f32', { type: 'F32', bytes: readTensorBytes(tiny, f32), count: 6 });
    assert.deepEqual([...values], [0, 1, 2, 3, 4, 5]);
    assert.deepEqual({ dtype: q8.dtype, shape: q8.shape }, { dtype: 'Q8_0', shape: [2, 32] });
    const bytes = readTensorBytes(tiny, q8);
    const ends = dequantize('q8', { type: 'Q8_0', bytes, count: 64 });
    assert.ok(Math.abs((ends[0] ?? 0) + 1) < 0.01 && Math.abs((ends[63] ?? 0) - 1) < 0.01);
  });

  it('refuses what is no GGUF file, naming byte and value', () => {
    rejects(Buffer.from('PK\x03\x04....'), /byte 0: magic: expected GGUF, got "PK/);
    rejects(Buffer.alloc(0), /byte 0: magic: expected 4 bytes, got "the end after 0"/);
    rejects(head(1, 0n, 0n), /version: expected 2 or 3, got 1/);
    rejects(head(0x03000000, 0n, 0n), /big-endian/);
  });
  it('refuses absurd counts before taking memory', () => {
    rejects(head(3, 2n ** 63n, 0n), /number of tensors: expected a number below 2\^53/);
    rejects(head(3, 1_000_000n, 0n), /number of tensors: expected at most 0/);
    rejects(head(3, 0n, 1_000_000n), /number of metadata entries: expected at most 0/);
    rejects(head(3, 0n, 1n, 2n ** 40n, 0n), /metadata key: expected a text of at most/);
    rejects(
      head(3, 0n, 1n, 'list', 9, 8, 2n ** 50n),
      /length of list: expected at most 0, got 1125899906842624/,
    );
    rejects(head(3, 0n, 1n, 'list', 9, 9, 1n), /an array of scalars or texts, got 9/);
    rejects(
      head(3, 0n, 1n, 'value', 77, 0n),
      /type of value: expected a value type 0 to 12, got 77/,
    );
  });
  it('refuses a bad alignment', () => {
    for (const value of [0, 7, 24, 2 ** 31])
      rejects(head(3, 0n, 1n, 'general.alignment', 4, value), /alignment: expected a power of two/);
  });
  it('refuses tensors that are cut off, unaligned, doubled or overlapping', () => {
    const f32 = (name: string, size: bigint, offset: bigint) => [name, 1, size, 0, offset] as const;
    const file = (...entries: (readonly (string | number | bigint)[])[]): Buffer =>
      Buffer.concat([head(3, BigInt(entries.length), 0n, ...entries.flat()), Buffer.alloc(128)]);
    assert.equal(openBytes(file(f32('a', 4n, 0n), f32('b', 4n, 32n))).tensors.size, 2);
    rejects(file(f32('a', 1000n, 0n)), /: a: expected bytes .* \(cut off\?\)/);
    rejects(file(f32('a', 4n, 8n)), /: a: expected an offset that is a multiple of 32, got 8/);
    rejects(file(f32('a', 4n, 0n), f32('a', 4n, 32n)), /: a: expected a name of its own/);
    rejects(file(f32('a', 9n, 0n), f32('b', 4n, 32n)), /: b: expected bytes after those of a/);
    rejects(file(f32('a', 2n ** 52n, 0n)), /cut off/);
    rejects(file(['a', 2, 2n ** 40n, 2n ** 40n, 0, 0n]), /fewer than 2\^53 values/);
    rejects(file(['a', 9, 1n, 0n, 0, 0n]), /number of axes: expected 0 to 4, got 9/);
    rejects(file(['a', 1, 33n, 8, 0n]), /rows of a multiple of 32 for Q8_0, got 33/);
    rejects(file(['a', 1, 32n, 99, 0n]), /type: expected a known ggml type, got 99/);
  });
  it('refuses a key that stands twice', () => {
    rejects(head(3, 0n, 2n, 'k', 4, 1, 'k', 4, 2), /metadata key: expected each key once/);
  });

  const bytes = readFileSync(tiny);
  it('refuses the file cut off at any byte', () => {
    const { tensors } = openGguf(tiny);
    const end = Math.max(...[...tensors.values()].map((t) => t.offset + t.byteLength));
    for (let length = 0; length < end; length += 1)
      assert.throws(() => openBytes(bytes.subarray(0, length)), { code: 'format' });
  });
  it('never fails otherwise than with its own error on flipped bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (flips) => {
          const broken = Uint8Array.from(bytes);
          for (const [at, value] of flips) broken[at] = value;
          try {
            openBytes(broken);
          } catch (error) {
            assert.ok(error instanceof IloraError, String(error));
          }
        },
      ),
      { numRuns: 1000, seed: 1 },
    );
  });
});
