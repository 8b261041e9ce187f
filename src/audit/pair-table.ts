/**
 * Counts per ordered pair of items in flat arrays: 16 bytes per place, no objects.
 *
 * Open addressing with linear probing; the table doubles at half full.
 */

/** How often the first item stood before the second, and after it. */
export class PairTable {
  private keys = new Float64Array(1 << 12).fill(-1);
  private forward = new Int32Array(1 << 12);
  private backward = new Int32Array(1 << 12);
  private used = 0;

  /** @param size  number of items; their square must be a safe integer */
  constructor(private readonly size: number) {}

  /** Number of pairs that were added. */
  get pairs(): number {
    return this.used;
  }

  /** Counts `first` before `second` once. */
  add(first: number, second: number): void {
    const isForward = first < second;
    const key = isForward ? first * this.size + second : second * this.size + first;
    let place = this.placeOf(key);
    if (this.keys[place] !== key) {
      if (this.used * 2 >= this.keys.length) {
        this.grow();
        place = this.placeOf(key);
      }
      this.keys[place] = key;
      this.used++;
    }
    if (isForward) this.forward[place]!++;
    else this.backward[place]!++;
  }

  /** How often `first` stood before `second`. */
  before(first: number, second: number): number {
    const isForward = first < second;
    const key = isForward ? first * this.size + second : second * this.size + first;
    const place = this.placeOf(key);
    if (this.keys[place] !== key) return 0;
    return (isForward ? this.forward : this.backward)[place]!;
  }

  /** Both counts of every pair. */
  *counts(): Generator<readonly [number, number]> {
    for (let place = 0; place < this.keys.length; place++)
      if (this.keys[place]! >= 0) yield [this.forward[place]!, this.backward[place]!];
  }

  private placeOf(key: number): number {
    const mask = this.keys.length - 1;
    const mixed =
      Math.imul((key % 0x7fffffff) | 0, 0x9e3779b1) ^ Math.imul((key / 0x7fffffff) | 0, 0x85ebca6b);
    let place = (mixed ^ (mixed >>> 15)) & mask;
    while (this.keys[place]! >= 0 && this.keys[place] !== key) place = (place + 1) & mask;
    return place;
  }

  private grow(): void {
    const { keys, forward, backward } = this;
    this.keys = new Float64Array(keys.length * 2).fill(-1);
    this.forward = new Int32Array(keys.length * 2);
    this.backward = new Int32Array(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i]! < 0) continue;
      const place = this.placeOf(keys[i]!);
      this.keys[place] = keys[i]!;
      this.forward[place] = forward[i]!;
      this.backward[place] = backward[i]!;
    }
  }
}
