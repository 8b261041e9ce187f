/**
 * Many sequences in a few flat arrays: 12 bytes per interaction, however many there are.
 */
import { internal } from '../errors/index.js';
import type { Sequence } from './types.js';

/** Sequences by number; each one is handed out as a view, never as a copy. */
export class SequenceStore {
  private readonly users: string[] = [];
  private readonly starts: number[] = [0];
  private items = new Int32Array(1024);
  private times = new Float64Array(1024);
  private used = 0;

  /** @param hasTimes  whether every interaction has a time */
  constructor(readonly hasTimes: boolean) {}

  /** Number of sequences. */
  get size(): number {
    return this.users.length;
  }

  /** Number of interactions in all of them. */
  get interactions(): number {
    return this.used;
  }

  /** Starts the next sequence; what is pushed from here on belongs to it. */
  open(user: string): void {
    this.users.push(user);
    this.starts.push(this.used);
  }

  /** Appends an interaction to the sequence opened last. */
  push(item: number, time?: number): void {
    if (this.used === this.items.length) this.grow();
    this.items[this.used] = item;
    if (this.hasTimes) {
      if (time === undefined) throw internal('an interaction without a time in a store with times');
      this.times[this.used] = time;
    }
    this.used++;
    this.starts[this.users.length] = this.used;
  }

  /** Appends a whole sequence. */
  add(user: string, items: ArrayLike<number>, times?: ArrayLike<number>): void {
    this.open(user);
    for (let i = 0; i < items.length; i++) this.push(items[i]!, times?.[i]);
  }

  /** User of a sequence, as in the source. */
  user(sequence: number): string {
    return this.users[sequence]!;
  }

  /** Number of interactions of a sequence. */
  length(sequence: number): number {
    return this.starts[sequence + 1]! - this.starts[sequence]!;
  }

  /** Items of a sequence from `first` to before `end`. */
  itemsOf(sequence: number, first = 0, end = this.length(sequence)): Int32Array {
    const start = this.starts[sequence]!;
    return this.items.subarray(start + first, start + end);
  }

  /** Times of a sequence; undefined when the source has none. */
  timesOf(sequence: number, first = 0, end = this.length(sequence)): Float64Array | undefined {
    if (!this.hasTimes) return undefined;
    const start = this.starts[sequence]!;
    return this.times.subarray(start + first, start + end);
  }

  /** A sequence, or the part of it before `end`. */
  get(sequence: number, end = this.length(sequence)): Sequence {
    const times = this.timesOf(sequence, 0, end);
    return {
      user: this.user(sequence),
      items: this.itemsOf(sequence, 0, end),
      ...(times === undefined ? {} : { times }),
    };
  }

  private grow(): void {
    const items = new Int32Array(this.items.length * 2);
    items.set(this.items);
    this.items = items;
    if (!this.hasTimes) return;
    const times = new Float64Array(items.length);
    times.set(this.times);
    this.times = times;
  }
}
