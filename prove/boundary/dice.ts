/**
 * Random choices that depend on a seed and the number of the call alone, so that any call can be made again.
 */
export class Dice {
  #state: number;
  /** The shape and type that most tensors of one call share, so that many calls fit. */
  readonly theme: number;

  constructor(seed: number, index: number) {
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)) | 0;
    for (let i = 0; i < 4; i++) this.next();
    this.theme = this.int(2 ** 30);
  }

  /** From 0 up to but without 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  }

  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)] as T;
  }

  /** True in this share of cases. */
  is(share: number): boolean {
    return this.next() < share;
  }
}
