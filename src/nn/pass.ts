/**
 * What belongs to one forward pass and reaches every layer as an argument.
 */
import type { RowStreams, Tensor } from '../tensor/index.js';
import type { Recomputation } from './recomputation.js';

/** Nothing in it survives the pass, and no module keeps it. */
export interface Pass {
  /**
   * Weights of the experts of each instance, [B, E], or of each of its positions, [B, T, E]; they sum to 1. Where
   * layers have weights of their own, all groups stand side by side. Layers without experts ignore them.
   */
  gates_BE?: Tensor;
  /** Source of dropout masks, a stream per instance. Absent: nothing is dropped (evaluation). */
  dropout?: RowStreams;
  /** Keeps layers' inputs in place of their activations. Absent: all is kept that gradients need. */
  recomputation?: Recomputation;
}
