/**
 * Which examples a step sees: a function of the seed and the place, so that a resumed run goes on where it stopped.
 */
import { Random } from '../random/index.js';

/** Examples in the order of one permutation per pass. */
export class Order {
  #epoch = -1;
  #permutation: Int32Array = new Int32Array();
  constructor(
    readonly seed: number,
    readonly examples: number,
  ) {}

  /** `count` examples from place `first` of the endless sequence of permutations. */
  batch(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => {
      const epoch = Math.floor((first + i) / this.examples);
      if (epoch !== this.#epoch) {
        this.#epoch = epoch;
        this.#permutation = new Random(this.seed, 'order', epoch).permutation(this.examples);
      }
      const row = this.#permutation[(first + i) % this.examples] as number;
      return row + epoch * this.examples;
    });
  }
}
