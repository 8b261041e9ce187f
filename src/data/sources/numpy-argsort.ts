/**
 * numpy's `argsort(kind='quicksort')` for whole numbers, tie for tie.
 *
 * The published MovieLens sequences were sorted with it (through pandas' `sort_values`). It is not
 * stable, so the order of interactions with equal timestamps, and with it the published rows, can
 * only be had by doing the same steps. Source: numpy/core/src/npysort/quicksort.cpp and
 * heapsort.cpp (`aquicksort_`, `aheapsort_`), as they were before vectorised sorting: median of
 * three, insertion sort for short parts, heapsort once partitions nest too deep.
 */

/** Parts whose ends are this many places apart or fewer are sorted by insertion. */
const SMALL = 15;

/** The order that sorts `values` ascending; ties stand as numpy leaves them. */
export function numpyArgsort(values: ArrayLike<number>): Int32Array {
  const order = Int32Array.from({ length: values.length }, (_, i) => i);
  const valueAt = (place: number): number => values[order[place]!]!;
  const swap = (i: number, j: number): void => {
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  };

  const pending: { left: number; right: number; depth: number }[] = [];
  let left = 0;
  let right = values.length - 1;
  let depth = values.length === 0 ? 0 : (31 - Math.clz32(values.length)) * 2;
  for (;;) {
    if (depth < 0) heapSort(values, order.subarray(left, right + 1));
    else {
      while (right - left > SMALL) {
        const middle = left + ((right - left) >> 1);
        if (valueAt(middle) < valueAt(left)) swap(middle, left);
        if (valueAt(right) < valueAt(middle)) swap(right, middle);
        if (valueAt(middle) < valueAt(left)) swap(middle, left);
        const pivot = valueAt(middle);
        let i = left;
        let j = right - 1;
        swap(middle, j);
        for (;;) {
          do i++;
          while (valueAt(i) < pivot);
          do j--;
          while (pivot < valueAt(j));
          if (i >= j) break;
          swap(i, j);
        }
        swap(i, right - 1);
        depth--;
        if (i - left < right - i) {
          pending.push({ left: i + 1, right, depth });
          right = i - 1;
        } else {
          pending.push({ left, right: i - 1, depth });
          left = i + 1;
        }
      }
      insertionSort(values, order.subarray(left, right + 1));
    }
    const next = pending.pop();
    if (next === undefined) return order;
    ({ left, right, depth } = next);
  }
}

function insertionSort(values: ArrayLike<number>, order: Int32Array): void {
  for (let i = 1; i < order.length; i++) {
    const moved = order[i]!;
    let j = i;
    for (; j > 0 && values[moved]! < values[order[j - 1]!]!; j--) order[j] = order[j - 1]!;
    order[j] = moved;
  }
}

function heapSort(values: ArrayLike<number>, order: Int32Array): void {
  // Places count from 1, as in the source: the children of i are 2i and 2i + 1.
  const sink = (moved: number, start: number, size: number): void => {
    let i = start;
    for (let j = 2 * i; j <= size; j = 2 * i) {
      if (j < size && values[order[j - 1]!]! < values[order[j]!]!) j++;
      if (!(values[moved]! < values[order[j - 1]!]!)) break;
      order[i - 1] = order[j - 1]!;
      i = j;
    }
    order[i - 1] = moved;
  };
  for (let start = order.length >> 1; start > 0; start--)
    sink(order[start - 1]!, start, order.length);
  for (let size = order.length - 1; size > 0; size--) {
    const moved = order[size]!;
    order[size] = order[0]!;
    sink(moved, 1, size);
  }
}
