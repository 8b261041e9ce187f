/** Writes GGUF files, also broken ones, and finds where in a file lengths, counts and types stand. */
import { GGML_TYPES } from '../../src/weights/ggml-type.js';

/** Numbers of the value types. */
export const GGUF = { u32: 4, i32: 5, f32: 6, bool: 7, text: 8, list: 9, u64: 10 } as const;

/** A metadata value: its type, and for a list the type of its values. */
export type Value =
  | [type: number, value: unknown]
  | [type: 9, value: readonly unknown[], of: number];

/** A tensor: shape outermost axis first, as everywhere; bytes are filled by `pattern`. */
export interface GgufTensor {
  name: string;
  shape: readonly number[];
  type: number;
}

/** Bytes of a file. */
export function ggufBytes(
  metadata: readonly [string, Value][],
  tensors: readonly GgufTensor[],
): Buffer {
  const parts: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(metadata.length)];
  for (const [key, [type, value, of]] of metadata) {
    parts.push(text(key), u32(type));
    if (type === GGUF.list) {
      const list = value as readonly unknown[];
      parts.push(
        u32(of as number),
        u64(list.length),
        ...list.map((each) => scalar(of as number, each)),
      );
    } else parts.push(scalar(type, value));
  }
  const bodies: Buffer[] = [];
  let offset = 0;
  for (const { name, shape, type } of tensors) {
    const { blockValues, blockBytes } = GGML_TYPES.get(type)!;
    const bytes = (shape.reduce((a, b) => a * b, 1) / blockValues) * blockBytes;
    const padded = Math.ceil(bytes / 32) * 32;
    parts.push(
      text(name),
      u32(shape.length),
      ...[...shape].reverse().map(u64),
      u32(type),
      u64(offset),
    );
    bodies.push(Buffer.from(Array.from({ length: padded }, (_, i) => (i * 37 + offset) & 0x3b)));
    offset += padded;
  }
  const head = Buffer.concat(parts);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), ...bodies]);
}

function scalar(type: number, value: unknown): Buffer {
  if (type === GGUF.text) return text(value as string);
  if (type === GGUF.bool) return Buffer.of(value === true ? 1 : 0);
  if (type === GGUF.f32) return Buffer.from(Float32Array.of(value as number).buffer);
  if (type === GGUF.u64) return u64(value as number);
  if (type === GGUF.i32) return Buffer.from(Int32Array.of(value as number).buffer);
  return u32(value as number);
}

function u32(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}

function u64(value: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

/** Where numbers of the structure stand, and the borders of entries; as far as the file makes sense. */
export interface GgufMap {
  marks: { at: number; width: number }[];
  /** First byte of each metadata entry and directory entry; the last border ends the head. */
  entries: number[];
  /** How many of the entries are metadata. */
  metadata: number;
}

const WIDTHS: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/** Walks a file and stops where it breaks. */
export function mapGguf(bytes: Buffer): GgufMap {
  const map: GgufMap = { marks: [], entries: [], metadata: 0 };
  let at = 4;
  const number = (width: 4 | 8): number => {
    map.marks.push({ at, width });
    const value = width === 4 ? bytes.readUInt32LE(at) : Number(bytes.readBigUInt64LE(at));
    at += width;
    return value;
  };
  const skip = (type: number): void => {
    if (type === GGUF.text) {
      at += number(8);
      return;
    }
    const width = WIDTHS[type];
    if (width === undefined) throw new RangeError('no such type');
    if (map.marks.length < 4000) map.marks.push({ at, width });
    at += width;
  };
  try {
    number(4);
    const tensors = number(8);
    const metadata = number(8);
    for (let i = 0; i < metadata; i++) {
      map.entries.push(at);
      at += number(8);
      const type = number(4);
      if (type === GGUF.list) {
        const of = number(4);
        for (let left = number(8); left > 0; left--) skip(of);
      } else skip(type);
      map.metadata = i + 1;
    }
    for (let i = 0; i < tensors; i++) {
      map.entries.push(at);
      at += number(8);
      for (let left = number(4); left > 0; left--) number(8);
      number(4);
      number(8);
    }
    map.entries.push(at);
  } catch {
    // A mutant of a mutant: what was found so far will do.
  }
  map.marks = map.marks.filter((mark) => mark.at + mark.width <= bytes.length);
  map.entries = map.entries.filter((entry) => entry <= bytes.length);
  return map;
}
