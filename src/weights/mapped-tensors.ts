/** Tensors of safetensors files, mapped where type and device already fit. */
import { statSync } from 'node:fs';
import { mismatch } from '../errors/index.js';
import {
  bitcast,
  cast,
  DTYPE_BYTES,
  type DType,
  keep,
  mapFile,
  narrow,
  reshape,
  scope,
  Tensor,
  toDevice,
} from '../tensor/index.js';
import type { ShardedTensor } from './sharded.js';
import { readTensorBytes } from './stored-tensor.js';
import type { LoadOptions } from './weight-source.js';

/** Engine types of the file types that a base's weights may have. */
export const WEIGHT_DTYPES: Readonly<Record<string, DType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** The files of a model, each mapped on first use. */
export class MappedTensors {
  readonly #maps = new Map<string, Tensor>();

  /** A tensor; a view of the file where type and device fit. */
  load(tensor: ShardedTensor, { dtype, device = 'cpu' }: LoadOptions = {}): Tensor {
    const storedDtype = WEIGHT_DTYPES[tensor.dtype];
    if (storedDtype === undefined)
      throw mismatch('format', {
        where: `${tensor.path}: ${tensor.name}`,
        expected: `a type of ${Object.keys(WEIGHT_DTYPES).join(', ')}`,
        got: tensor.dtype,
      });
    return scope(() => {
      const bytes = this.bytes(tensor, DTYPE_BYTES[storedDtype]);
      const values = reshape(bitcast(bytes, storedDtype), tensor.shape);
      const wanted = dtype ?? storedDtype;
      return device === 'cpu' ? cast(values, wanted) : toDevice(values, device, wanted);
    });
  }

  /** A view of the mapped file, or a copy where a foreign writer left the tensor unaligned. */
  bytes(tensor: ShardedTensor, elementBytes: number): Tensor {
    const { path, offset, byteLength } = tensor;
    if (offset % elementBytes !== 0) return Tensor.from(readTensorBytes(path, tensor));
    let map = this.#maps.get(path);
    if (map === undefined) {
      map = keep(mapFile(path, statSync(path).size));
      this.#maps.set(path, map);
    }
    return narrow(map, 0, offset, byteLength);
  }

  /** Lets go of the files; loaded tensors stay valid. */
  close(): void {
    for (const map of this.#maps.values()) map.dispose();
    this.#maps.clear();
  }
}
