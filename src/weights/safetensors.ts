/**
 * The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes.
 *
 * The reader is as strict as the reference implementation (every byte belongs to exactly one
 * tensor) and refuses duplicate keys on top; it checks everything before a byte is mapped.
 *
 * @see https://github.com/huggingface/safetensors (README, "Format")
 */
import { mismatch } from '../errors/index.js';
import { isObject, parseStrictJson, writeFileAtomic } from '../files/index.js';
import { countElements, readExactly, type StoredTensor, withFile } from './stored-tensor.js';

/** Bytes per element of the types we read and write. */
export const SAFETENSORS_DTYPES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

/** A type name of the format. */
export type SafetensorsDtype = keyof typeof SAFETENSORS_DTYPES;

/** The reference implementation's bound on the header. */
const MAX_HEADER_BYTES = 100_000_000;
/** The key of the header that holds texts, not a tensor. */
const METADATA_KEY = '__metadata__';

/** A tensor of a safetensors file. */
export interface SafetensorsTensor extends StoredTensor {
  dtype: SafetensorsDtype;
}

/** The checked header of one file. */
export interface SafetensorsFile {
  path: string;
  /** Free texts of the writer. */
  metadata: Readonly<Record<string, string>>;
  /** By name, in the order of their bytes. */
  tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/** A tensor to be written. */
export interface TensorData {
  name: string;
  dtype: SafetensorsDtype;
  shape: readonly number[];
  /** The elements, row-major, little-endian. */
  data: ArrayBufferView;
}

/**
 * Reads and checks the header of a file.
 *
 * @throws IloraError of code `format` naming file, tensor, expectation and value
 */
export function openSafetensors(path: string): SafetensorsFile {
  return withFile(path, (file, size) => {
    if (size < 8) throw broken(path, 'at least 8 bytes', `${size}`);
    const prefix = readExactly(path, file, { offset: 0, byteLength: 8 });
    const headerBytes = new DataView(prefix.buffer).getBigUint64(0, true);
    if (headerBytes > BigInt(MAX_HEADER_BYTES))
      throw broken(path, `a header of at most ${MAX_HEADER_BYTES} bytes`, headerBytes);
    const byteLength = Number(headerBytes);
    if (byteLength < 2 || 8 + byteLength > size)
      throw broken(path, `a header of 2 to ${size - 8} bytes`, byteLength);
    const text = decodeUtf8(path, readExactly(path, file, { offset: 8, byteLength }));
    return parseHeader(path, text, { start: 8 + byteLength, end: size });
  });
}

/** Writes tensors and metadata to a file that appears whole or not at all. */
export function writeSafetensors(
  path: string,
  tensors: readonly TensorData[],
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileAtomic(path, safetensorsBlocks(path, tensors, metadata));
}

/**
 * The bytes of a file: its head, which is the first block, and those of each tensor.
 *
 * Wider types come first, so every tensor is aligned for mapping; the order inside a type is given
 * by name, so equal content gives equal bytes.
 *
 * @param path  for messages
 * @throws IloraError of code `format` if a tensor's bytes do not match its shape and type
 */
export function safetensorsBlocks(
  path: string,
  tensors: readonly TensorData[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const sorted = [...tensors].sort(
    (a, b) =>
      SAFETENSORS_DTYPES[b.dtype] - SAFETENSORS_DTYPES[a.dtype] || (a.name < b.name ? -1 : 1),
  );
  for (const { name, dtype, shape, data } of sorted) {
    const byteLength = countElements(shape) * SAFETENSORS_DTYPES[dtype];
    if (data.byteLength !== byteLength)
      throw broken(
        `${path}: ${name}`,
        `${byteLength} bytes for ${dtype} ${shapeText(shape)}`,
        data.byteLength,
      );
  }
  const head = safetensorsHead(path, sorted, metadata);
  return [head, ...sorted.map(({ data }) => bytesOf(data))];
}

/**
 * The head of a file whose tensors follow in the order given, without gaps.
 *
 * @param alignment bytes that the head is a multiple of; at least 8
 */
export function safetensorsHead(
  path: string,
  tensors: readonly Pick<TensorData, 'name' | 'dtype' | 'shape'>[],
  metadata: Readonly<Record<string, string>> = {},
  alignment = 8,
): Uint8Array {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push([METADATA_KEY, metadata]);
  const seen = new Set([METADATA_KEY]);
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    if (seen.has(name)) throw broken(`${path}: ${name}`, 'a name of its own', 'one that is taken');
    seen.add(name);
    const byteLength = countElements(shape) * SAFETENSORS_DTYPES[dtype];
    header.push([name, { dtype, shape, data_offsets: [end, end + byteLength] }]);
    end += byteLength;
  }
  // Not through an object: a tensor could be named __proto__ or 7.
  const entries = header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const json = Buffer.from(`{${entries.join(',')}}`, 'utf8');
  const head = Buffer.alloc(Math.ceil((8 + json.length) / alignment) * alignment, ' ');
  head.writeBigUInt64LE(BigInt(head.length - 8), 0);
  json.copy(head, 8);
  return head;
}

/** The bytes under a typed array. */
function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function parseHeader(
  path: string,
  text: string,
  body: { start: number; end: number },
): SafetensorsFile {
  if (!text.startsWith('{')) throw broken(path, 'a header that starts with "{"', text.slice(0, 8));
  const header = parseStrictJson(text, `${path} (header)`);
  if (!isObject(header)) throw broken(path, 'a header that is an object', header);
  const tensors: SafetensorsTensor[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA_KEY) metadata = parseMetadata(path, entry);
    else tensors.push(parseEntry(`${path}: ${name}`, name, entry, body));
  }
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = body.start;
  for (const tensor of tensors) {
    if (tensor.offset !== end)
      throw broken(
        `${path}: ${tensor.name}`,
        `bytes from ${end - body.start} on (no overlap, no gap)`,
        tensor.offset - body.start,
      );
    end += tensor.byteLength;
  }
  if (end !== body.end)
    throw broken(
      path,
      `${end - body.start} bytes of tensors after the header`,
      body.end - body.start,
    );
  return { path, metadata, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

function parseEntry(
  where: string,
  name: string,
  entry: unknown,
  body: { start: number; end: number },
): SafetensorsTensor {
  if (!isObject(entry)) throw broken(where, 'dtype, shape and data_offsets', entry);
  const { dtype, shape, data_offsets: range, ...rest } = entry;
  const extra = Object.keys(rest);
  if (extra.length > 0) throw broken(where, 'dtype, shape and data_offsets only', extra);
  if (typeof dtype !== 'string' || !isDtype(dtype))
    throw broken(where, `a dtype of ${Object.keys(SAFETENSORS_DTYPES).join(', ')}`, dtype);
  if (!isSizeList(shape)) throw broken(where, 'a shape of whole numbers from 0', shape);
  if (!isSizeList(range) || range.length !== 2)
    throw broken(where, 'data_offsets of two whole numbers', range);
  const [start, end] = range as [number, number];
  const length = body.end - body.start;
  if (start > end || end > length) throw broken(where, `data_offsets within 0 to ${length}`, range);
  const byteLength = countElements(shape) * SAFETENSORS_DTYPES[dtype];
  if (byteLength !== end - start)
    throw broken(where, `${byteLength} bytes for ${dtype} ${shapeText(shape)}`, end - start);
  return { name, dtype, shape, offset: body.start + start, byteLength };
}

function parseMetadata(path: string, value: unknown): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string'))
    return value as Record<string, string>;
  throw broken(path, `${METADATA_KEY} with texts only`, value);
}

function isDtype(name: string): name is SafetensorsDtype {
  return Object.hasOwn(SAFETENSORS_DTYPES, name);
}

function isSizeList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function decodeUtf8(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw mismatch('format', { where: path, expected: 'a UTF-8 header', got: error }, error);
  }
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function broken(where: string, expected: string, got: unknown): Error {
  return mismatch('format', { where, expected, got });
}
