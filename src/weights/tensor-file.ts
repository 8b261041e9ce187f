/**
 * Tensors to and from one safetensors file.
 */

import { mismatch } from '../errors/index.js';
import { cast, type DType, scope, Tensor } from '../tensor/index.js';
import {
  openSafetensors,
  type SafetensorsDtype,
  type TensorData,
  writeSafetensors,
} from './safetensors.js';
import { readTensorBytes } from './stored-tensor.js';

const STORED: Partial<Record<DType, SafetensorsDtype>> = {
  float64: 'F64',
  float32: 'F32',
  int64: 'I64',
  int32: 'I32',
};

/** Writes tensors atomically. */
export function saveTensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Record<string, string> = {},
): void {
  writeSafetensors(path, storedTensors(tensors), metadata);
}

/** Tensors as they stand in a file: bfloat16 and float16 are widened to float32. */
export function storedTensors(tensors: ReadonlyMap<string, Tensor>): TensorData[] {
  const data: TensorData[] = [];
  for (const [name, tensor] of tensors) {
    const dtype = STORED[tensor.dtype];
    const values =
      dtype === undefined
        ? scope(() => cast(tensor, 'float32').toTypedArray())
        : tensor.toTypedArray();
    data.push({ name, dtype: dtype ?? 'F32', shape: tensor.shape, data: values });
  }
  return data;
}

/** Reads all tensors of a file. @throws IloraError `format` */
export function loadTensors(path: string): {
  tensors: Map<string, Tensor>;
  metadata: Readonly<Record<string, string>>;
} {
  const file = openSafetensors(path);
  const tensors = new Map<string, Tensor>();
  for (const [name, stored] of file.tensors) {
    const bytes = readTensorBytes(path, stored);
    tensors.set(name, fromBytes(bytes, stored.dtype, stored.shape, `${path}: ${name}`));
  }
  return { tensors, metadata: file.metadata };
}

function fromBytes(
  bytes: Uint8Array,
  dtype: SafetensorsDtype,
  shape: readonly number[],
  where: string,
): Tensor {
  const buffer = bytes.slice().buffer;
  switch (dtype) {
    case 'F32':
      return Tensor.from(new Float32Array(buffer), shape);
    case 'F64':
      return Tensor.from(new Float64Array(buffer), shape);
    case 'I64':
      return Tensor.from(new BigInt64Array(buffer), shape);
    case 'I32':
      return Tensor.from(new Int32Array(buffer), shape);
    default:
      throw mismatch('format', { where, expected: 'F32, F64, I64 or I32', got: dtype });
  }
}
