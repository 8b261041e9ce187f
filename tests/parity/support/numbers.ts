/**
 * Numbers made from a name, bit for bit as support/reference.py makes them, so that fixtures need not hold
 * weights and inputs: mulberry32, seeded with FNV-1a of the name.
 */
import { Tensor } from '../../../src/tensor/index.js';

function* bits(name: string, count: number): IterableIterator<number> {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619);
  for (let i = 1; i <= count; i++) {
    const s = (seed + Math.imul(i, 0x6d2b79f5)) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    yield (t ^ (t >>> 14)) >>> 0;
  }
}

const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);

/** Numbers in [center - spread, center + spread), float64. */
export function uniform(
  name: string,
  shape: readonly number[],
  { center = 0, spread = 1 }: { center?: number; spread?: number } = {},
): Tensor {
  const values = new Float64Array(sizeOf(shape));
  let i = 0;
  for (const word of bits(name, values.length))
    values[i++] = center + spread * (word / 2 ** 31 - 1);
  return Tensor.from(values, shape);
}

/** Whole numbers in [0, bound), int64. */
export function whole(name: string, shape: readonly number[], bound: number): Tensor {
  const values = new BigInt64Array(sizeOf(shape));
  let i = 0;
  for (const word of bits(name, values.length))
    values[i++] = BigInt(Math.floor((word / 2 ** 32) * bound));
  return Tensor.from(values, shape);
}
