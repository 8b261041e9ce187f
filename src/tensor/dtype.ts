/**
 * Element types and devices by name.
 */

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { mismatch } from '../errors/index.js';

/** Names of element types; the numbers are libtorch's own codes (c10/core/ScalarType.h). */
export const DTYPE_CODES = {
  uint8: 0,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const;

export type DType = keyof typeof DTYPE_CODES;

/** Bytes of one element. */
export const DTYPE_BYTES: Record<DType, number> = {
  uint8: 1,
  int32: 4,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
  bool: 1,
  bfloat16: 2,
};

/** `cpu`, `cuda` or `cuda:N`. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}`;

const NAMES = new Map<number, DType>(
  Object.entries(DTYPE_CODES).map(([name, code]) => [code, name as DType]),
);

/** Name of one of libtorch's codes. */
export function dtypeName(code: number): DType {
  const name = NAMES.get(code);
  if (name === undefined)
    throw mismatch('engine', { where: 'dtype', expected: 'a supported element type', got: code });
  return name;
}

/** Whether a type holds fractions. */
export function isFloating(dtype: DType): boolean {
  return dtype === 'float16' || dtype === 'float32' || dtype === 'float64' || dtype === 'bfloat16';
}

/**
 * The faster of bfloat16 and float32 for a frozen base: bfloat16 on a GPU and on processors with
 * bfloat16 arithmetic (AVX512-BF16, AMX), float32 on all others, where bfloat16 is emulated.
 */
export function preferredDtype(device: Device): 'bfloat16' | 'float32' {
  if (device !== 'cpu') return 'bfloat16';
  try {
    const flags = readFileSync('/proc/cpuinfo', 'utf8').slice(0, 8192);
    return /\b(avx512_bf16|amx_bf16)\b/.test(flags) ? 'bfloat16' : 'float32';
  } catch {
    return 'float32'; // not Linux: no such file
  }
}

/** The processor's name, for run folders and reports. */
export function processorName(): string {
  return `${cpus()[0]?.model ?? 'unknown processor'} × ${cpus().length}`;
}
