/**
 * The GGUF format, versions 2 and 3: metadata, a directory of tensors, then their bytes.
 *
 * Every count and length is checked against the bytes that are left before memory is taken for it,
 * so a broken file costs at most a small multiple of its own size.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { mismatch } from '../errors/index.js';
import { ByteCursor } from './byte-cursor.js';
import { GGML_TYPES } from './ggml-type.js';
import { countElements, type StoredTensor, withFile } from './stored-tensor.js';

/** A value of the metadata; numeric arrays are typed where a typed array holds them exactly. */
export type GgufValue =
  | number
  | boolean
  | string
  | readonly number[]
  | readonly boolean[]
  | readonly string[]
  | Float32Array
  | Int32Array
  | Uint32Array;

/** Metadata by key. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** The checked head of a GGUF file. */
export interface GgufFile {
  path: string;
  version: number;
  metadata: GgufMetadata;
  /** By name, in the order of the directory; shapes are outermost axis first. */
  tensors: ReadonlyMap<string, StoredTensor>;
  /** Size of the file in bytes. */
  size: number;
}

const MAGIC = 'GGUF';
const MAX_HEAD_BYTES = 1 << 28;
const MAX_ENTRIES = 1 << 17;
const MAX_KEY_BYTES = 65_535;
const MAX_TEXT_BYTES = 1 << 24;
const MAX_AXES = 4;
const MAX_ALIGNMENT = 1 << 20;
/** A key (8 bytes of length) and a type (4) with a value of one byte. */
const MIN_ENTRY_BYTES = 13;
/** A name (8), a number of axes (4), a type (4) and an offset (8). */
const MIN_TENSOR_BYTES = 24;

/**
 * Reads and checks metadata and directory of a file.
 *
 * @throws IloraError of code `format` naming file, byte, expectation and value
 */
export function openGguf(path: string): GgufFile {
  return withFile(path, (file, size) => {
    const cursor = new ByteCursor(path, file, Math.min(size, MAX_HEAD_BYTES));
    const version = readVersion(cursor);
    const tensorCount = readCount(cursor, 'number of tensors', MIN_TENSOR_BYTES);
    const entryCount = readCount(cursor, 'number of metadata entries', MIN_ENTRY_BYTES);
    const metadata = new Map<string, GgufValue>();
    for (let i = 0; i < entryCount; i += 1) readEntry(cursor, metadata);
    const alignment = readAlignment(path, metadata);
    const entries: DirectoryEntry[] = [];
    for (let i = 0; i < tensorCount; i += 1) entries.push(readTensorEntry(cursor));
    const start = Math.ceil(cursor.offset / alignment) * alignment;
    const tensors = placeTensors(path, entries, { start, size, alignment });
    return { path, version, metadata, tensors, size };
  });
}

/** A directory entry; its offset counts from the start of the tensors' bytes. */
interface DirectoryEntry extends StoredTensor {
  /** Byte of the file where the entry starts, for messages. */
  at: number;
}

function readVersion(cursor: ByteCursor): number {
  const magic = cursor.take(4, 'magic').toString('latin1');
  if (magic !== MAGIC) throw cursor.broken('magic', MAGIC, magic);
  const version = cursor.u32('version');
  if (version === 2 || version === 3) return version;
  if ((version & 0xffff) === 0) throw cursor.broken('version', '2 or 3', 'a big-endian file');
  throw cursor.broken('version', '2 or 3', version);
}

function readCount(cursor: ByteCursor, what: string, minBytes: number): number {
  const count = cursor.u64(what);
  const most = Math.min(MAX_ENTRIES, Math.floor(cursor.remaining / minBytes));
  if (count > most) throw cursor.broken(what, `at most ${most} in a file of this size`, count);
  return count;
}

function readEntry(cursor: ByteCursor, metadata: Map<string, GgufValue>): void {
  const key = cursor.text('metadata key', MAX_KEY_BYTES);
  if (metadata.has(key)) throw cursor.broken('metadata key', 'each key once', `${key} twice`);
  const type = cursor.u32(`type of ${key}`);
  metadata.set(key, type === ARRAY_TYPE ? readArray(cursor, key) : readScalar(cursor, key, type));
}

const STRING_TYPE = 8;
const ARRAY_TYPE = 9;

/** Bytes and reader of each scalar type, by the number that stands in the file. */
const SCALARS: Readonly<Record<number, [number, (cursor: ByteCursor, key: string) => number]>> = {
  0: [1, (cursor, key) => cursor.u8(key)],
  1: [1, (cursor, key) => cursor.i8(key)],
  2: [2, (cursor, key) => cursor.u16(key)],
  3: [2, (cursor, key) => cursor.i16(key)],
  4: [4, (cursor, key) => cursor.u32(key)],
  5: [4, (cursor, key) => cursor.i32(key)],
  6: [4, (cursor, key) => cursor.f32(key)],
  7: [1, readBool],
  10: [8, (cursor, key) => cursor.u64(key)],
  11: [8, (cursor, key) => cursor.i64(key)],
  12: [8, (cursor, key) => cursor.f64(key)],
};
const BOOL_TYPE = 7;

function readBool(cursor: ByteCursor, key: string): number {
  const value = cursor.u8(key);
  if (value > 1) throw cursor.broken(key, 'a boolean byte of 0 or 1', value);
  return value;
}

function readScalar(cursor: ByteCursor, key: string, type: number): GgufValue {
  if (type === STRING_TYPE) return cursor.text(key, MAX_TEXT_BYTES);
  const scalar = SCALARS[type];
  if (scalar === undefined) throw cursor.broken(`type of ${key}`, 'a value type 0 to 12', type);
  const value = scalar[1](cursor, key);
  return type === BOOL_TYPE ? value === 1 : value;
}

function readArray(cursor: ByteCursor, key: string): GgufValue {
  const type = cursor.u32(`type of ${key}`);
  const count = cursor.u64(`length of ${key}`);
  const itemBytes = type === STRING_TYPE ? 8 : SCALARS[type]?.[0];
  if (itemBytes === undefined)
    throw cursor.broken(`type of ${key}`, 'an array of scalars or texts', type);
  const most = Math.floor(cursor.remaining / itemBytes);
  if (count > most) throw cursor.broken(`length of ${key}`, `at most ${most}`, count);
  if (type === STRING_TYPE)
    return Array.from({ length: count }, () => cursor.text(key, MAX_TEXT_BYTES));
  const read = (SCALARS[type] as [number, (cursor: ByteCursor, key: string) => number])[1];
  if (type === BOOL_TYPE) return Array.from({ length: count }, () => read(cursor, key) === 1);
  if (type === 6) return Float32Array.from({ length: count }, () => read(cursor, key));
  if (type === 4) return Uint32Array.from({ length: count }, () => read(cursor, key));
  if (type < 6) return Int32Array.from({ length: count }, () => read(cursor, key));
  return Array.from({ length: count }, () => read(cursor, key));
}

function readAlignment(path: string, metadata: GgufMetadata): number {
  const value = metadata.get('general.alignment') ?? 32;
  if (
    typeof value === 'number' &&
    value >= 8 &&
    value <= MAX_ALIGNMENT &&
    (value & (value - 1)) === 0
  )
    return value;
  throw mismatch('format', {
    where: `${path}: general.alignment`,
    expected: `a power of two from 8 to ${MAX_ALIGNMENT}`,
    got: value,
  });
}

function readTensorEntry(cursor: ByteCursor): DirectoryEntry {
  const at = cursor.offset;
  const name = cursor.text('tensor name', MAX_KEY_BYTES);
  const axes = cursor.u32(`${name}: number of axes`);
  if (axes > MAX_AXES) throw cursor.broken(`${name}: number of axes`, `0 to ${MAX_AXES}`, axes);
  const shape: number[] = [];
  for (let axis = 0; axis < axes; axis += 1) shape.unshift(cursor.u64(`${name}: size of an axis`));
  const typeId = cursor.u32(`${name}: type`);
  const type = GGML_TYPES.get(typeId);
  if (type === undefined) throw cursor.broken(`${name}: type`, 'a known ggml type', typeId);
  const row = shape.at(-1) ?? 1;
  if (row % type.blockValues !== 0)
    throw cursor.broken(name, `rows of a multiple of ${type.blockValues} for ${type.name}`, row);
  const count = countElements(shape);
  if (!Number.isSafeInteger(count)) throw cursor.broken(name, 'fewer than 2^53 values', shape);
  const byteLength = (count / type.blockValues) * type.blockBytes;
  const offset = cursor.u64(`${name}: offset`);
  return { name, dtype: type.name, shape, offset, byteLength, at };
}

/** Makes offsets absolute and checks that tensors are aligned, inside the file and apart. */
function placeTensors(
  path: string,
  entries: readonly DirectoryEntry[],
  { start, size, alignment }: { start: number; size: number; alignment: number },
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const { at, ...entry } of entries) {
    const fail = (expected: string, got: unknown) =>
      mismatch('format', { where: `${path}: byte ${at}: ${entry.name}`, expected, got });
    if (tensors.has(entry.name)) throw fail('a name of its own', 'one that is taken');
    if (entry.offset % alignment !== 0)
      throw fail(`an offset that is a multiple of ${alignment}`, entry.offset);
    const offset = start + entry.offset;
    if (offset + entry.byteLength > size)
      throw fail(
        `bytes ${offset} to ${offset + entry.byteLength} in the file`,
        `a file of ${size} bytes (cut off?)`,
      );
    tensors.set(entry.name, { ...entry, offset });
  }
  const sorted = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  sorted.forEach((tensor, i) => {
    const previous = sorted[i - 1];
    if (previous === undefined || previous.offset + previous.byteLength <= tensor.offset) return;
    throw mismatch('format', {
      where: `${path}: ${tensor.name}`,
      expected: `bytes after those of ${previous.name}`,
      got: `an overlap at byte ${tensor.offset}`,
    });
  });
  return tensors;
}
