/**
 * Orders the interactions of one user after another, in flat arrays.
 *
 * JavaScript sorts plain numbers many times faster than anything that has to be compared by a function, so
 * keys are sorted alone. A whole number leaves room in a double for the row it came from; among other keys
 * every row looks for its place, which takes twice as long.
 */

/** Interactions as parallel columns. */
export interface Columns {
  /** Finite numbers. */
  times: Float64Array;
  /** Order in the file, for equal times; all different. */
  places: Uint32Array | Float64Array;
  items: Int32Array;
}

/** Sorts stretches of rows by time and, for equal times, place; keeps its memory from call to call. */
export class TimeSorter {
  private rows = columnsOf(0);
  /** Rows of a stretch before it is sorted. */
  private old = columnsOf(0);
  /** How many rows stand already at and behind the first place of each key. */
  private taken = new Uint32Array(0);

  /** The rows to sort: at least `count` of them, to be filled in. */
  room(count: number): Columns & { places: Float64Array } {
    if (this.rows.items.length < count) this.rows = columnsOf(2 * count);
    return this.rows;
  }

  /** Sorts the rows from `first` to before `end`. */
  sort(first: number, end: number): void {
    // Most logs are written in the order of time, and nearly all are read in the order of the file.
    if (!isAscending(this.rows.places, first, end)) this.order('places', 'times', first, end);
    if (!isAscending(this.rows.times, first, end)) this.order('times', 'places', first, end);
  }

  /** Orders rows by one column; rows with equal keys stay in order. */
  private order(
    by: 'times' | 'places',
    other: 'times' | 'places',
    first: number,
    end: number,
  ): void {
    const count = end - first;
    if (this.taken.length < count) {
      this.old = columnsOf(2 * count);
      this.taken = new Uint32Array(2 * count);
    }
    const { rows, old, taken } = this;
    const [values, others, items] = [rows[by], rows[other], rows.items];
    const [keys, oldOthers] = [old[by].subarray(0, count), old[other]];
    for (let i = 0; i < count; i++) {
      oldOthers[i] = others[first + i]!;
      old.items[i] = items[first + i]!;
    }
    const step = 2 ** Math.ceil(Math.log2(count));
    const least = packKeys(values, first, keys, step);
    if (least !== undefined) {
      keys.sort();
      for (let i = 0; i < count; i++) {
        const key = Math.floor(keys[i]! / step);
        const from = keys[i]! - key * step;
        values[first + i] = key + least;
        others[first + i] = oldOthers[from]!;
        items[first + i] = old.items[from]!;
      }
      return;
    }
    keys.set(values.subarray(first, end));
    keys.sort();
    taken.fill(0, 0, count);
    for (let i = 0; i < count; i++) {
      const at = firstOf(keys, values[first + i]!);
      const to = first + at + taken[at]!++;
      others[to] = oldOthers[i]!;
      items[to] = old.items[i]!;
    }
    values.set(keys, first);
  }
}

/**
 * Fills `keys` with value and number of each row in one: (value − least) · step + number. Gives the least
 * value; undefined if the values are not whole or too far apart for that.
 */
function packKeys(
  values: Float64Array,
  first: number,
  keys: Float64Array,
  step: number,
): number | undefined {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < keys.length; i++) {
    const value = values[first + i]!;
    if (!Number.isInteger(value)) return undefined;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const isSafe =
    Number.isSafeInteger(least) &&
    Number.isSafeInteger(most) &&
    (most - least + 1) * step < 2 ** 53;
  if (!isSafe) return undefined;
  for (let i = 0; i < keys.length; i++) keys[i] = (values[first + i]! - least) * step + i;
  return least;
}

function columnsOf(count: number): Columns & { places: Float64Array } {
  return {
    times: new Float64Array(count),
    places: new Float64Array(count),
    items: new Int32Array(count),
  };
}

/** Whether no value is smaller than the one before it. */
function isAscending(values: Float64Array, first: number, end: number): boolean {
  for (let i = first + 1; i < end; i++) if (values[i]! < values[i - 1]!) return false;
  return true;
}

/** First place of a key in ascending keys. */
function firstOf(keys: Float64Array, key: number): number {
  let low = 0;
  let high = keys.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
