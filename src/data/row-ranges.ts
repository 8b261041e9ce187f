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

  /** The row of each window, by sequence and position; undefined where a window is no row. */
  rowsByWindow(): (window: Window) => number | undefined {
    const ranges = new Map<number, number[]>();
    for (let i = 0; i < this.used; i++) {
      const sequence = this.triples[3 * i]!;
      const own = ranges.get(sequence);
      if (own === undefined) ranges.set(sequence, [i]);
      else own.push(i);
    }
    return ({ sequence, position }) => {
      for (const i of ranges.get(sequence) ?? []) {
        const { first, last } = this.range(i);
        if (position >= first && position <= last) return this.starts[i]! + position - first;
      }
      return undefined;
    };
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

/** Up to `count` positions from first to last, evenly spaced: both ends among them, or the last alone. */
export function evenPositions(
  { first, last }: Pick<RowRange, 'first' | 'last'>,
  count: number,
): number[] {
  const kept = Math.min(count, last - first + 1);
  return Array.from({ length: Math.max(0, kept) }, (_, i) =>
    kept === 1 ? last : first + Math.round((i * (last - first)) / (kept - 1)),
  );
}
