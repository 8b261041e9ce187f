/**
 * A table of vectors for the slots, from wherever: a text encoder, another model, a file.
 */
import { indexSelect, Tensor, toDevice } from '../../tensor/index.js';
import type { ItemVectors } from '../capability.js';

export class VectorTable implements ItemVectors {
  /** @param table_NM frozen; it stays the caller's */
  constructor(readonly table_NM: Tensor) {}

  get width(): number {
    return this.table_NM.shape[1] as number;
  }

  itemVectors(items: readonly number[]): Tensor {
    const ids_X = toDevice(Tensor.from(items, undefined, 'int64'), this.table_NM.device);
    return indexSelect(this.table_NM, 0, ids_X);
  }
}
