/**
 * Seeded random numbers in named streams.
 *
 * A stream is keyed by a seed, a name and any numbers (epoch, row ...). Every draw is a pure function of its key, and
 * nothing depends on how often another part has drawn. The generator is
 * sfc32 (C. Doty-Humphrey, PractRand); the key is spread over its state with MurmurHash3's mixing
 * steps. Not for secrets.
 */
import { mismatch } from '../errors/index.js';

/** State of a stream, for checkpoints. */
export type RandomState = readonly [number, number, number, number];

/** A stream of random numbers. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  /**
   * @param seed    any safe integer
   * @param stream  what the numbers are for, such as `candidates`
   * @param ids     whole numbers that tell streams of one name apart, such as epoch and row
   */
  constructor(seed: number, stream: string, ...ids: readonly number[]) {
    let hash = 0x9747b28c;
    for (const id of [seed, ...ids]) {
      if (!Number.isSafeInteger(id))
        throw mismatch('usage', {
          where: `Random("${stream}")`,
          expected: 'whole numbers as seed and ids',
          got: id,
        });
      hash = mix(mix(hash, id | 0), Math.floor(id / 0x1_0000_0000) | 0);
    }
    for (let i = 0; i < stream.length; i++) hash = mix(hash, stream.charCodeAt(i));
    this.a = finish(hash ^ 0x243f6a88);
    this.b = finish(mix(hash, ids.length) ^ 0x85a308d3);
    this.c = finish(mix(hash, stream.length) ^ 0x13198a2e);
    this.counter = 1;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** Continues a stream where `state` was taken. */
  static fromState(state: RandomState): Random {
    const random = new Random(0, '');
    [random.a, random.b, random.c, random.counter] = state;
    return random;
  }

  /** Where the stream stands. */
  get state(): RandomState {
    return [this.a, this.b, this.c, this.counter];
  }

  /** A whole number, uniform in [0, 2³²). */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x400_0000 + (this.uint32() >>> 6)) / 0x20_0000_0000_0000;
  }

  /** A whole number, uniform in [0, n), without modulo bias; 1 ≤ n ≤ 2³². */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x1_0000_0000)
      throw mismatch('usage', {
        where: 'Random.int(n)',
        expected: 'a whole number in [1, 2^32]',
        got: n,
      });
    // Quotients below 2³² are exact in a double, and far faster than the remainder of one.
    const limit = Math.floor(0x1_0000_0000 / n) * n;
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value - Math.floor(value / n) * n;
    }
  }

  /** Standard normal, by Box and Muller's formula; the second value of the pair is not kept. */
  gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher and Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const value = values[i];
      values[i] = values[j];
      values[j] = value;
    }
    return values;
  }

  /** The numbers 0 to n - 1 in random order. */
  permutation(n: number): Int32Array {
    const order = new Int32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    return this.shuffle(order);
  }
}

/** One block of MurmurHash3 (A. Appleby, public domain). */
function mix(hash: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** MurmurHash3's final avalanche. */
function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
