/**
 * Dropout that is on exactly when a pass brings streams of random bits.
 */
import { dropout, type Tensor, zeroSome } from '../tensor/index.js';
import { Module } from './module.js';
import type { Pass } from './pass.js';

export class Dropout extends Module {
  constructor(
    /** Probability of a zero, from 0 up to but without 1. */
    readonly probability: number,
  ) {
    super();
  }

  forward(x: Tensor, pass?: Pass): Tensor {
    if (pass?.dropout === undefined || this.probability === 0) return x;
    return dropout(x, this.probability, pass.dropout);
  }

  /** `forward` before its scale, for a layer that scales something smaller behind it. */
  zeroSome(x: Tensor, pass?: Pass): { kept: Tensor; scale: number } {
    if (pass?.dropout === undefined) return { kept: x, scale: 1 };
    return zeroSome(x, this.probability, pass.dropout);
  }
}
