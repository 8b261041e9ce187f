/**
 * Many sequences in a few flat arrays: 12 bytes per interaction, however many there are.
 */
import { internal } from '../errors/index.js';
import type { Sequence } from './types.js';

/** Columns of all sequences, one after another. */
export interface SequenceColumns {
  users: string[];
  /** Place of the first interaction of each sequence, and the end of the last one. */
  starts: number[];
  items: Int32Array;
  times: Float64Array | undefined;
}

/** Sequences by number; each one is handed out as a view, never as a copy. */
export class SequenceStore {
  private users: string[] = [];
  private starts: number[] = [0];
  private items: Int32Array;
  private times: Float64Array;
  private used = 0;

  /**
   * @param hasTimes  whether every interaction has a time
   * @param capacity  interactions to make room for; growing beyond them copies
   */
  constructor(
    readonly hasTimes: boolean,
    capacity = 1024,
  ) {
    this.items = new Int32Array(Math.max(1, capacity));
    this.times = new Float64Array(hasTimes ? this.items.length : 0);
  }

  /** Sequences that are in columns already; they are taken over, not copied. */
  static of({ users, starts, items, times }: SequenceColumns): SequenceStore {
    const store = new SequenceStore(times !== undefined, 1);
    store.users = users;
    store.starts = starts;
    store.items = items;
    if (times !== undefined) store.times = times;
    store.used = items.length;
    return store;
  }

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
    if (this.hasTimes && times?.length !== items.length)
      throw internal('an interaction without a time in a store with times');
    while (this.used + items.length > this.items.length) this.grow();
    this.items.set(items, this.used);
    if (this.hasTimes) this.times.set(times!, this.used);
    this.used += items.length;
    this.starts[this.users.length] = this.used;
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
    const items = new Int32Array(Math.max(1024, this.items.length * 2));
    items.set(this.items);
    this.items = items;
    if (!this.hasTimes) return;
    const times = new Float64Array(items.length);
    times.set(this.times);
    this.times = times;
  }
}
