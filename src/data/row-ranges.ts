/**
 * The rows of a split, as ranges of target positions.
 *
 * `sequence 7, first 3, last 20` stands for the 18 windows of sequence 7 with targets 3 to 20, in
 * that order. Row numbers count through the ranges.
 */
import { mismatch } from '../errors/index.js';
import type { Window } from './types.js';

/** Target positions `first` to `last`, both included, of one sequence. */
export interface RowRange {
  sequence: number;
  first: number;
  last: number;
}

/** The rows of one split, in flat arrays. */
export class RowRanges {
  /** Sequence, first and last position of each range. */
  private triples = new Int32Array(48);
  /** Number of the first row of each range. */
  private starts = new Float64Array(16);
  private used = 0;
  private count = 0;

  /** Number of rows. */
  get rows(): number {
    return this.count;
  }

  /** Number of ranges. */
  get size(): number {
    return this.used;
  }

  /** Appends a range; one without positions is left out. */
  add({ sequence, first, last }: RowRange): void {
    if (last < first) return;
    if (this.used === this.starts.length) this.grow();
    this.triples.set([sequence, first, last], 3 * this.used);
    this.starts[this.used++] = this.count;
    this.count += last - first + 1;
  }

  /** A range by its number. */
  range(index: number): RowRange {
    const [sequence, first, last] = this.triples.subarray(3 * index, 3 * index + 3);
    return { sequence: sequence!, first: first!, last: last! };
  }

  /** All ranges in order, as a list of their own. */
  get ranges(): RowRange[] {
    return Array.from({ length: this.used }, (_, i) => this.range(i));
  }

  /** Sequence and target position of a row. */
  window(row: number): Window {
    if (!Number.isInteger(row) || row < 0 || row >= this.count)
      throw mismatch('usage', {
        where: 'RowRanges.window(row)',
        expected: `a row in [0, ${this.count})`,
        got: row,
      });
    let low = 0;
    let high = this.used - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= row) low = middle;
      else high = middle - 1;
    }
    return {
      sequence: this.triples[3 * low]!,
      position: this.triples[3 * low + 1]! + row - this.starts[low]!,
    };
  }

  /** Last target position of each sequence that has rows. */
  lastPositions(): Map<number, number> {
    const positions = new Map<number, number>();
    for (let i = 0; i < this.used; i++) {
      const { sequence, last } = this.range(i);
      positions.set(sequence, Math.max(last, positions.get(sequence) ?? -1));
    }
    return positions;
  }

  private grow(): void {
    const triples = new Int32Array(2 * this.triples.length);
    triples.set(this.triples);
    this.triples = triples;
    const starts = new Float64Array(2 * this.starts.length);
    starts.set(this.starts);
    this.starts = starts;
  }
}

/** Up to `most` whole numbers from `first` to `last`, evenly spaced, the last one always among them. */
export function evenlySpaced(first: number, last: number, most: number): number[] {
  const count = Math.min(most, last - first + 1);
  if (count === 1) return [last];
  return Array.from(
    { length: Math.max(0, count) },
    (_, i) => first + Math.round((i * (last - first)) / (count - 1)),
  );
}
