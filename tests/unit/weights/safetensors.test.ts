import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { IloraError } from '../../../src/errors/index.js';
import {
  openSafetensors,
  openSafetensorsFolder,
  readTensorBytes,
  type TensorData,
  writeSafetensors,
} from '../../../src/weights/index.js';

const reference = join(import.meta.dirname, '../../fixtures/weights/reference.safetensors');
const folder = mkdtempSync(join(tmpdir(), 'ilora-safetensors-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'case.safetensors');

function withHeader(header: string, bodyBytes: number): void {
  const json = Buffer.from(header);
  const length = Buffer.from(BigUint64Array.of(BigInt(json.length)).buffer);
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(bodyBytes)]));
}

function rejects(header: string, bodyBytes: number, message: RegExp): void {
  withHeader(header, bodyBytes);
  assert.throws(() => openSafetensors(path), { code: 'format', message });
}

const entry = (dtype: string, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

describe('openSafetensors', () => {
  it("reads the reference package's file", () => {
    const { metadata, tensors } = openSafetensors(reference);
    assert.deepEqual({ ...metadata }, { format: 'pt', note: 'ü' });
    const bytesOf = (name: string): ArrayBuffer => {
      const tensor = tensors.get(name);
      assert.ok(tensor);
      return readTensorBytes(reference, tensor).buffer as ArrayBuffer;
    };
    assert.deepEqual(new Float64Array(bytesOf('f64')), Float64Array.of(0.1, -2.5));
    assert.deepEqual(new Float32Array(bytesOf('f32')), Float32Array.of(1.5, 2.5, 3.5));
    assert.deepEqual(new BigInt64Array(bytesOf('i64')), BigInt64Array.of(-(2n ** 40n)));
    assert.deepEqual(new Int32Array(bytesOf('i32')), Int32Array.of(7, -7));
    assert.deepEqual(new Uint8Array(bytesOf('bool')), Uint8Array.of(1, 0));
    assert.deepEqual(tensors.get('scalar')?.shape, []);
    assert.deepEqual(tensors.get('empty')?.shape, [0, 4]);
  });

  it('refuses broken headers, naming tensor, expectation and value', () => {
    writeFileSync(path, 'short');
    assert.throws(() => openSafetensors(path), { code: 'format', message: /at least 8 bytes/ });
    writeFileSync(path, Buffer.from(BigUint64Array.of(2n ** 60n, 0n).buffer));
    assert.throws(() => openSafetensors(path), /a header of at most 100000000 bytes, got 11529/);
    writeFileSync(path, Buffer.from(BigUint64Array.of(1000n, 0n).buffer));
    assert.throws(() => openSafetensors(path), /a header of 2 to 8 bytes, got 1000/);
    rejects('[1]', 0, /a header that starts with "{"/);
    rejects('{"a"', 0, /\(header\): expected JSON/);
    rejects(`{"a":${entry('F32', [1], [0, 4])},"a":${entry('F32', [1], [0, 4])}}`, 4, /a twice/);
    rejects(`{"a":${entry('F33', [1], [0, 4])}}`, 4, /: a: expected a dtype of F64.*got "F33"/);
    rejects(`{"a":${entry('toString', [1], [0, 4])}}`, 4, /: a: expected a dtype/);
    rejects(`{"a":${entry('F32', [1.5], [0, 4])}}`, 4, /: a: expected a shape of whole numbers/);
    rejects(`{"a":${entry('F32', [-1], [0, 4])}}`, 4, /: a: expected a shape of whole numbers/);
    rejects(`{"a":${entry('F32', [2], [0, 4])}}`, 4, /expected 8 bytes for F32 \[2\], got 4/);
    rejects(`{"a":${entry('F32', [1], [4, 8])}}`, 4, /data_offsets within 0 to 4, got \[4, 8\]/);
    rejects(`{"a":${entry('F32', [1], [4, 0])}}`, 4, /data_offsets within/);
    rejects(`{"a":${entry('F32', [2 ** 40, 2 ** 40], [0, 4])}}`, 4, /: a: expected .* bytes for/);
    rejects(`{"a":{"dtype":"F32"}}`, 4, /: a: expected a shape/);
    rejects(`{"__metadata__":{"a":1}}`, 0, /__metadata__ with texts only/);
  });
  it('refuses overlaps, gaps and bytes that belong to no tensor', () => {
    const two = (a: unknown, b: unknown) =>
      `{"a":${entry('F32', [1], a)},"b":${entry('F32', [1], b)}}`;
    rejects(
      two([0, 4], [0, 4]),
      8,
      /: [ab]: expected bytes from 4 on \(no overlap, no gap\), got 0/,
    );
    rejects(two([0, 4], [8, 12]), 12, /: b: expected bytes from 4 on .* got 8/);
    rejects(two([0, 4], [4, 8]), 12, /expected 8 bytes of tensors after the header, got 12/);
  });
  it('names a missing file and a folder', () => {
    assert.throws(() => openSafetensors(join(folder, 'none')), { code: 'file', message: /ENOENT/ });
    assert.throws(() => openSafetensors(folder), { code: 'file' });
  });
  const bytes = readFileSync(reference);
  it('refuses the file cut off at any byte', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      assert.throws(() => openSafetensors(path), { code: 'format' });
    }
  });
  it('never fails otherwise than with its own error on flipped bytes', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const broken = Uint8Array.from(bytes);
        broken[at] = value;
        writeFileSync(path, broken);
        try {
          openSafetensors(path);
        } catch (error) {
          assert.ok(error instanceof IloraError, String(error));
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

describe('writeSafetensors', () => {
  const tensors: TensorData[] = [
    { name: 'flags', dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
    { name: '__proto__', dtype: 'F32', shape: [2, 1], data: Float32Array.of(1, 2) },
    { name: 'ids', dtype: 'I64', shape: [1], data: BigInt64Array.of(-5n) },
    { name: 'half', dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0) },
  ];
  it('writes what it reads, aligned, with metadata', () => {
    writeSafetensors(path, tensors, { epoch: '3' });
    const file = openSafetensors(path);
    assert.deepEqual({ ...file.metadata }, { epoch: '3' });
    assert.deepEqual([...file.tensors.keys()], ['ids', '__proto__', 'half', 'flags']);
    for (const { name, dtype, shape, data } of tensors) {
      const stored = file.tensors.get(name);
      assert.ok(stored);
      assert.deepEqual([stored.dtype, stored.shape], [dtype, shape]);
      assert.equal(stored.offset % (data.byteLength / (shape[0] ?? 1)), 0);
      assert.deepEqual(
        readTensorBytes(path, stored),
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
    }
  });
  it('gives equal bytes for equal content in any order', () => {
    writeSafetensors(path, tensors);
    const first = readFileSync(path);
    writeSafetensors(path, [...tensors].reverse());
    assert.deepEqual(readFileSync(path), first);
  });
  it('writes a file without tensors', () => {
    writeSafetensors(path, []);
    assert.equal(openSafetensors(path).tensors.size, 0);
  });
  it('refuses data of another size and a name twice, and leaves the old file', () => {
    writeSafetensors(path, tensors);
    const wrong: TensorData = { name: 'x', dtype: 'F32', shape: [2], data: Float32Array.of(1) };
    assert.throws(
      () => writeSafetensors(path, [wrong]),
      /x: expected 8 bytes for F32 \[2\], got 4/,
    );
    const right: TensorData = { ...wrong, shape: [1] };
    assert.throws(() => writeSafetensors(path, [right, right]), { code: 'format' });
    assert.equal(openSafetensors(path).tensors.size, tensors.length);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});

describe('openSafetensorsFolder', () => {
  const shards = join(folder, 'shards');
  mkdirSync(shards);
  const one: TensorData = { name: 'a', dtype: 'F32', shape: [1], data: Float32Array.of(1) };
  writeSafetensors(join(shards, 'one.safetensors'), [one]);
  writeSafetensors(join(shards, 'two.safetensors'), [{ ...one, name: 'b' }]);
  const index = (map: unknown) =>
    writeFileSync(
      join(shards, 'model.safetensors.index.json'),
      JSON.stringify({ metadata: {}, weight_map: map }),
    );
  it('joins the shards of an index', () => {
    index({ a: 'one.safetensors', b: 'two.safetensors' });
    const tensors = openSafetensorsFolder(shards);
    assert.deepEqual([...tensors.keys()], ['a', 'b']);
    assert.equal(tensors.get('b')?.path, join(shards, 'two.safetensors'));
  });
  it('lists every tensor on which shards and index disagree', () => {
    index({ b: 'one.safetensors', c: 'two.safetensors' });
    assert.throws(() => openSafetensorsFolder(shards), { code: 'format', message: /4 problems/ });
  });
  it('stays inside the folder', () => {
    index({ a: '../one.safetensors' });
    assert.throws(() => openSafetensorsFolder(shards), /expected a file name, got "\.\.\/one/);
  });
  it('names a folder without weights', () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    assert.throws(() => openSafetensorsFolder(empty), { code: 'file', message: /got "neither"/ });
  });
});
