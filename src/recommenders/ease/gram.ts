/**
 * How many rows hold two items together, where rows are runs of a sequence.
 */
import { checkedItem } from '../sequence/encoder.js';

/**
 * G = Xᵀ X of rows that hold an item once, however often it stands in them.
 *
 * A row is a run of `window` neighbours; a shorter sequence is one row. A run is counted where the last places of both
 * items in it are met, so that the work is `window` steps per interaction and not its square.
 *
 * @param window 0: every sequence is one row
 * @returns [N · N], row after row
 * @throws IloraError `data` for an item outside the catalog
 */
export function gramOfRuns(
  sequences: Iterable<{ items: Int32Array }>,
  { catalogSize: N, window }: { catalogSize: number; window: number },
): Float64Array {
  const gram = new Float64Array(N * N);
  for (const { items } of sequences) {
    const length = items.length;
    const width = window === 0 ? length : Math.min(window, length);
    const until = untilRepeated(items, N);
    for (let late = 0; late < length; late++) {
      const item = items[late] as number;
      const firstEnd = Math.max(late, width - 1);
      for (let early = late; early >= 0 && early > late - width; early--) {
        const lastEnd = Math.min(until[early]!, until[late]!, early + width - 1);
        const runs = lastEnd - firstEnd + 1;
        if (runs <= 0) continue;
        const other = items[early] as number;
        gram[item * N + other]! += runs;
        if (early !== late) gram[other * N + item]! += runs;
      }
    }
  }
  return gram;
}

/** The last place, by place, at which its item has not come again. */
function untilRepeated(items: Int32Array, catalogSize: number): Int32Array {
  const until = new Int32Array(items.length);
  const next = new Map<number, number>();
  for (let place = items.length - 1; place >= 0; place--) {
    const item = checkedItem(items[place] as number, catalogSize, 'EASE');
    until[place] = (next.get(item) ?? items.length) - 1;
    next.set(item, place);
  }
  return until;
}
