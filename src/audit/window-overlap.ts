/**
 * Windows (history shown and target) that occur in train and held out, or twice.
 *
 * Short windows may be equal by chance; from five items on equality means a copy. Windows are
 * compared by a 53-bit hash first and item by item where the hashes agree.
 */
import type { Dataset, SplitName } from '../data/index.js';
import { type Check, type Finding, outOf } from './finding.js';
import { heldOutSplits, type RowView, rowsOf } from './rows.js';

/** History items from which on an equal window is taken for a copy. */
const longFrom = 5;
const limits = { severe: 0.01, short: 0.05 };

export const windowOverlap: Check = {
  id: 'window-overlap',
  run(dataset: Dataset): Finding {
    const windows = new Map<number, Place[]>();
    const histories = new Map<number, Place[]>();
    let rows = 0;
    let sharedHeldOut = 0;
    for (const split of heldOutSplits)
      for (const view of rowsOf(dataset, split)) {
        rows++;
        const place = { split, ...view };
        const hash = hashOf(view.history, view.target);
        const earlier = windows.get(hash)?.filter((other) => isSame(other, view, true)) ?? [];
        if (earlier.some((other) => other.split !== split)) sharedHeldOut++;
        put(windows, hash, place);
        put(histories, hashOf(view.history), place);
      }
    // A held-out row counts once, however often train holds its window.
    const found = { long: new Set<Place>(), short: new Set<Place>(), history: new Set<Place>() };
    const hashes = new Float64Array(dataset.rows('train'));
    for (const view of rowsOf(dataset, 'train')) {
      const hash = hashOf(view.history, view.target);
      hashes[view.row] = hash;
      for (const place of windows.get(hash) ?? [])
        if (isSame(place, view, true))
          (view.history.length >= longFrom ? found.long : found.short).add(place);
      if (histories.size > 0)
        for (const place of histories.get(hashOf(view.history)) ?? [])
          if (place.target !== view.target && isSame(place, view, false)) found.history.add(place);
    }
    const twice = countRepeats(hashes);
    const copies = found.long.size;
    const severity =
      copies > 0 && copies >= limits.severe * rows
        ? 'severe'
        : copies > 0 ||
            found.short.size > limits.short * rows ||
            sharedHeldOut > limits.short * rows
          ? 'warning'
          : 'info';
    const inTrain = copies + found.short.size;
    return {
      id: 'window-overlap',
      severity,
      isKnown: true,
      figures: {
        heldOutRows: rows,
        heldOutInTrain: inTrain,
        heldOutInTrainLong: copies,
        sharedByValidationAndTest: sharedHeldOut,
        historyInTrainWithAnotherTarget: found.history.size,
        repeatedInTrain: twice,
        trainRows: hashes.length,
      },
      figure: `${outOf(inTrain, rows)} held-out windows in train, ${sharedHeldOut} shared by validation and test, ${twice} repeated in train`,
      message:
        severity === 'info'
          ? 'Held-out windows are new.'
          : 'Held-out windows stand in train with their answers: remembering them is enough.',
      advice:
        severity === 'info'
          ? ''
          : 'Remove copies of users or rows before splitting, then split again.',
    };
  },
};

type Place = RowView & { split: SplitName };

function put(map: Map<number, Place[]>, hash: number, place: Place): void {
  const list = map.get(hash);
  if (list === undefined) map.set(hash, [place]);
  else list.push(place);
}

function isSame(one: RowView, other: RowView, withTarget: boolean): boolean {
  return (
    (!withTarget || one.target === other.target) &&
    one.history.length === other.history.length &&
    one.history.every((item, i) => item === other.history[i])
  );
}

/** 53 bits over the items. */
function hashOf(history: Int32Array, target = -1): number {
  let a = 0x9747b28c ^ history.length;
  let b = 0x85ebca6b;
  for (let i = 0; i <= history.length; i++) {
    const item = i < history.length ? history[i]! : target;
    a = Math.imul(a ^ item, 0xcc9e2d51);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ (item + i), 0x1b873593);
    b = (b << 15) | (b >>> 17);
  }
  a = Math.imul(a ^ (a >>> 16) ^ b, 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 13) ^ a, 0x85ebca6b);
  return ((a ^ (a >>> 16)) >>> 0) * 0x20_0000 + ((b ^ (b >>> 15)) >>> 11);
}

/** Rows whose window an earlier row has; by hash alone, since a wrong one in 10⁵ would not matter. */
function countRepeats(hashes: Float64Array): number {
  hashes.sort();
  let repeats = 0;
  for (let i = 1; i < hashes.length; i++) if (hashes[i] === hashes[i - 1]) repeats++;
  return repeats;
}
