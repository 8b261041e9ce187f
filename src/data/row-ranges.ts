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

/** The rows of one split. */
export class RowRanges {
  readonly ranges: RowRange[] = [];
  /** Number of the first row of each range. */
  private readonly starts: number[] = [];
  private count = 0;

  /** Number of rows. */
  get rows(): number {
    return this.count;
  }

  /** Appends a range; one without positions is left out. */
  add(range: RowRange): void {
    if (range.last < range.first) return;
    this.ranges.push(range);
    this.starts.push(this.count);
    this.count += range.last - range.first + 1;
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
    let high = this.ranges.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= row) low = middle;
      else high = middle - 1;
    }
    const { sequence, first } = this.ranges[low]!;
    return { sequence, position: first + row - this.starts[low]! };
  }

  /** Last target position of each sequence that has rows. */
  lastPositions(): Map<number, number> {
    const last = new Map<number, number>();
    for (const range of this.ranges)
      last.set(range.sequence, Math.max(range.last, last.get(range.sequence) ?? -1));
    return last;
  }
}
