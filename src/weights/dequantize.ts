/**
 * ggml's block formats back to float32.
 *
 * A block holds a few scales and small whole numbers: value = scale · q (+ minimum). All products
 * are exact in float32, so results equal the reference bit for bit. Loops are plain and indexed:
 * they run over hundreds of millions of values when a model is opened.
 *
 * @see ggml's `block_q4_0` ... `block_q6_K` in ggml-common.h
 */
import { mismatch } from '../errors/index.js';
import { asFloat32 } from './stored-tensor.js';

type Kernel = (bytes: Uint8Array, out: Float32Array, half: Float32Array) => void;

const KERNELS: Readonly<Record<string, Kernel>> = {
  F32: (bytes, out) => out.set(asFloat32(bytes)),
  F16: fromHalf,
  BF16: fromBrain,
  Q4_0: fromQ4Type0,
  Q4_1: fromQ4Type1,
  Q5_0: fromQ5Type0,
  Q5_1: fromQ5Type1,
  Q8_0: fromQ8Type0,
  Q4_K: fromQ4K,
  Q5_K: fromQ5K,
  Q6_K: fromQ6K,
};

/** Names of the types that `dequantize` takes. */
export const DEQUANTIZABLE: readonly string[] = Object.keys(KERNELS);

/**
 * Turns a tensor's bytes into float32 values.
 *
 * @param where  file and tensor named in errors
 * @param type   ggml's name of the type
 * @param count  number of values; a whole number of blocks
 * @throws IloraError of code `format` for a type we cannot read
 */
export function dequantize(
  where: string,
  { type, bytes, count }: { type: string; bytes: Uint8Array; count: number },
): Float32Array {
  const kernel = Object.hasOwn(KERNELS, type) ? KERNELS[type] : undefined;
  if (kernel === undefined)
    throw mismatch('format', {
      where,
      expected: `a type of ${DEQUANTIZABLE.join(', ')}`,
      got: type,
      hint: 'use a file quantised to one of these, such as Q8_0 or Q4_K_M',
    });
  const out = new Float32Array(count);
  kernel(bytes, out, halfTable());
  return out;
}

let table: Float32Array | undefined;

/** float16 → float32 for all 65,536 patterns. */
function halfTable(): Float32Array {
  if (table !== undefined) return table;
  table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits += 1) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[bits] = fraction === 0 ? sign * Infinity : Number.NaN;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return table;
}

// Below, `!` follows reads whose index is in range by the block arithmetic.

function fromHalf(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let i = 0, b = 0; i < out.length; i += 1, b += 2)
    out[i] = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
}

/** bfloat16 is the upper half of a float32. */
function fromBrain(bytes: Uint8Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer);
  for (let i = 0, b = 0; i < bits.length; i += 1, b += 2)
    bits[i] = (bytes[b]! << 16) | (bytes[b + 1]! << 24);
}

/** d · (q − 8); the low nibbles are values 0-15 of a block, the high ones 16-31. */
function fromQ4Type0(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let o = 0, b = 0; o < out.length; o += 32, b += 18) {
    const scale = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    for (let j = 0; j < 16; j += 1) {
      const pair = bytes[b + 2 + j]!;
      out[o + j] = scale * ((pair & 15) - 8);
      out[o + 16 + j] = scale * ((pair >> 4) - 8);
    }
  }
}

/** d · q + m */
function fromQ4Type1(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let o = 0, b = 0; o < out.length; o += 32, b += 20) {
    const scale = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    const minimum = half[bytes[b + 2]! | (bytes[b + 3]! << 8)]!;
    for (let j = 0; j < 16; j += 1) {
      const pair = bytes[b + 4 + j]!;
      out[o + j] = scale * (pair & 15) + minimum;
      out[o + 16 + j] = scale * (pair >> 4) + minimum;
    }
  }
}

/** d · (q − 16); the fifth bits of the 32 values stand in one 32-bit word. */
function fromQ5Type0(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let o = 0, b = 0; o < out.length; o += 32, b += 22) {
    const scale = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    const fifth = word(bytes, b + 2);
    for (let j = 0; j < 16; j += 1) {
      const pair = bytes[b + 6 + j]!;
      out[o + j] = scale * (((pair & 15) | (((fifth >>> j) & 1) << 4)) - 16);
      out[o + 16 + j] = scale * (((pair >> 4) | (((fifth >>> (j + 16)) & 1) << 4)) - 16);
    }
  }
}

/** d · q + m with five-bit q */
function fromQ5Type1(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let o = 0, b = 0; o < out.length; o += 32, b += 24) {
    const scale = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    const minimum = half[bytes[b + 2]! | (bytes[b + 3]! << 8)]!;
    const fifth = word(bytes, b + 4);
    for (let j = 0; j < 16; j += 1) {
      const pair = bytes[b + 8 + j]!;
      out[o + j] = scale * ((pair & 15) | (((fifth >>> j) & 1) << 4)) + minimum;
      out[o + 16 + j] = scale * ((pair >> 4) | (((fifth >>> (j + 16)) & 1) << 4)) + minimum;
    }
  }
}

/** d · q with signed bytes */
function fromQ8Type0(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let o = 0, b = 0; o < out.length; o += 32, b += 34) {
    const scale = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    for (let j = 0; j < 32; j += 1) out[o + j] = scale * signed[b + 2 + j]!;
  }
}

/** Sub-block i (32 values) is d·scaleᵢ · q − dmin·minᵢ; low and high nibbles are two sub-blocks. */
function fromQ4K(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let o = 0, b = 0; o < out.length; o += 256, b += 144) {
    const d = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    const dmin = half[bytes[b + 2]! | (bytes[b + 3]! << 8)]!;
    for (let i = 0; i < 8; i += 2) {
      const lowScale = d * subScale(bytes, b + 4, i);
      const lowMinimum = dmin * subMinimum(bytes, b + 4, i);
      const highScale = d * subScale(bytes, b + 4, i + 1);
      const highMinimum = dmin * subMinimum(bytes, b + 4, i + 1);
      const q = b + 16 + i * 16;
      const to = o + i * 32;
      for (let j = 0; j < 32; j += 1) {
        const pair = bytes[q + j]!;
        out[to + j] = lowScale * (pair & 15) - lowMinimum;
        out[to + 32 + j] = highScale * (pair >> 4) - highMinimum;
      }
    }
  }
}

/** As Q4_K; bit i of the 32 bytes after the scales is the fifth bit of sub-block i. */
function fromQ5K(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  for (let o = 0, b = 0; o < out.length; o += 256, b += 176) {
    const d = half[bytes[b]! | (bytes[b + 1]! << 8)]!;
    const dmin = half[bytes[b + 2]! | (bytes[b + 3]! << 8)]!;
    for (let i = 0; i < 8; i += 2) {
      const lowScale = d * subScale(bytes, b + 4, i);
      const lowMinimum = dmin * subMinimum(bytes, b + 4, i);
      const highScale = d * subScale(bytes, b + 4, i + 1);
      const highMinimum = dmin * subMinimum(bytes, b + 4, i + 1);
      const q = b + 48 + i * 16;
      const to = o + i * 32;
      for (let j = 0; j < 32; j += 1) {
        const pair = bytes[q + j]!;
        const fifth = bytes[b + 16 + j]! >> i;
        out[to + j] = lowScale * ((pair & 15) | ((fifth & 1) << 4)) - lowMinimum;
        out[to + 32 + j] = highScale * ((pair >> 4) | ((fifth & 2) << 3)) - highMinimum;
      }
    }
  }
}

/** d · scale · (q − 32): four low bits, two high bits, one signed scale per 16 values. */
function fromQ6K(bytes: Uint8Array, out: Float32Array, half: Float32Array): void {
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let o = 0, b = 0; o < out.length; o += 256, b += 210) {
    const d = half[bytes[b + 208]! | (bytes[b + 209]! << 8)]!;
    for (let part = 0; part < 2; part += 1) {
      const low = b + part * 64;
      const high = b + 128 + part * 32;
      const to = o + part * 128;
      for (let j = 0; j < 32; j += 1) {
        const scales = b + 192 + part * 8 + (j >> 4);
        const first = bytes[low + j]!;
        const second = bytes[low + 32 + j]!;
        const top = bytes[high + j]!;
        out[to + j] = d * signed[scales]! * (((first & 15) | ((top & 3) << 4)) - 32);
        out[to + 32 + j] = d * signed[scales + 2]! * (((second & 15) | ((top & 12) << 2)) - 32);
        out[to + 64 + j] = d * signed[scales + 4]! * (((first >> 4) | (top & 48)) - 32);
        out[to + 96 + j] = d * signed[scales + 6]! * (((second >> 4) | ((top & 192) >> 2)) - 32);
      }
    }
  }
}

/** Six-bit scale of sub-block i; those of 4-7 keep their two upper bits in the bytes of 0-3. */
function subScale(bytes: Uint8Array, start: number, i: number): number {
  if (i < 4) return bytes[start + i]! & 63;
  return (bytes[start + i + 4]! & 15) | ((bytes[start + i - 4]! >> 6) << 4);
}

/** Six-bit minimum of sub-block i. */
function subMinimum(bytes: Uint8Array, start: number, i: number): number {
  if (i < 4) return bytes[start + i + 4]! & 63;
  return (bytes[start + i + 4]! >> 4) | ((bytes[start + i]! >> 6) << 4);
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
