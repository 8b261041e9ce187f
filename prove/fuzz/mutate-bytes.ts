/** Changes of bytes that know nothing of their meaning but that numbers have borders. */
import type { Random } from '../../src/random/index.js';

/** Whole numbers at which readers go wrong, smallest width in bytes that holds them. */
const BORDERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  8n,
  9n,
  31n,
  32n,
  127n,
  128n,
  255n,
  256n,
  32_767n,
  32_768n,
  65_535n,
  65_536n,
  (1n << 24n) - 1n,
  1n << 24n,
  1n << 28n,
  1n << 30n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  1n << 40n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 61n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

/** A number on or beside a border, or near the size of the file. */
export function borderNumber(random: Random, size: number): bigint {
  if (random.int(4) === 0) return BigInt(Math.max(0, size + random.int(33) - 16));
  const border = pick(random, BORDERS);
  return random.int(3) === 0 ? BigInt.asUintN(64, border + BigInt(random.int(3)) - 1n) : border;
}

/** Writes a whole number over bytes; what does not fit is cut. */
export function putNumber(bytes: Buffer, at: number, width: number, value: bigint): void {
  for (let i = 0; i < width && at + i < bytes.length; i++)
    bytes[at + i] = Number((value >> BigInt(8 * i)) & 255n);
}

/** One change of bytes; `marks` are places where lengths, counts and types stand. */
export function mutateBytes(
  input: Buffer,
  other: Buffer,
  random: Random,
  marks: readonly { at: number; width: number }[] = [],
): Buffer {
  const size = input.length;
  if (size === 0) return Buffer.from(other.subarray(0, random.int(other.length + 1)));
  if (marks.length > 0 && random.int(2) === 0) {
    const out = Buffer.from(input);
    const { at, width } = pick(random, marks);
    putNumber(out, at, width, borderNumber(random, size));
    return out;
  }
  const at = random.int(size);
  const length = 1 + random.int(Math.min(size - at, random.int(4) === 0 ? size : 16));
  const block = input.subarray(at, at + length);
  switch (random.int(10)) {
    case 0: {
      const out = Buffer.from(input);
      for (let n = random.int(4); n >= 0; n--) out[random.int(size)]! ^= 1 << random.int(8);
      return out;
    }
    case 1: {
      const out = Buffer.from(input);
      for (let n = random.int(8); n >= 0; n--) out[random.int(size)] = random.int(256);
      return out;
    }
    case 2:
      return Buffer.from(input.subarray(0, random.int(size)));
    case 3: // delete
      return Buffer.concat([input.subarray(0, at), input.subarray(at + length)]);
    case 4: // repeat
      return Buffer.concat([
        input.subarray(0, at),
        ...Array.from({ length: 1 + random.int(random.int(8) === 0 ? 200 : 3) }, () => block),
        input.subarray(at),
      ]);
    case 5: {
      // copy elsewhere
      const to = random.int(size);
      return Buffer.concat([input.subarray(0, to), block, input.subarray(to)]);
    }
    case 6: {
      // insert noise
      const noise = Buffer.from(Array.from({ length }, () => random.int(256)));
      return Buffer.concat([input.subarray(0, at), noise, input.subarray(at)]);
    }
    case 7: {
      const out = Buffer.from(input);
      putNumber(out, at, 1 << random.int(4), borderNumber(random, size));
      return out;
    }
    case 8: // splice
      return Buffer.concat([input.subarray(0, at), other.subarray(random.int(other.length + 1))]);
    default: {
      const out = Buffer.from(input);
      out.fill(pick(random, [0, 255, 32, 128]), at, at + length);
      return out;
    }
  }
}

/** One of a list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.int(list.length)]!;
}
