/**
 * Is something learned from the future? Train interactions later than held-out targets.
 */
import type { Dataset } from '../data/index.js';
import { type Check, type Finding, outOf, percent } from './finding.js';
import { heldOutSplits, rowsOf } from './rows.js';

const limits = { warning: 0.001, severe: 0.1 };

export const splitTime: Check = {
  id: 'split-time',
  run(dataset: Dataset): Finding {
    const { sequences } = dataset;
    if (!sequences.hasTimes)
      return {
        id: 'split-time',
        severity: 'info',
        isKnown: false,
        figures: { hasTimes: false },
        figure: 'no times',
        message: 'Cannot be told: without times nobody knows whether train is earlier than test.',
        advice: 'Import from a source with times if there is one.',
      };
    const { times, hasTrain } = trainTimes(dataset);
    const later = (time: number): number => times.length - firstAbove(times, time);
    let firstTarget = Number.POSITIVE_INFINITY;
    let future = 0;
    let testRows = 0;
    for (const split of heldOutSplits)
      for (const { sequence, position } of rowsOf(dataset, split)) {
        const time = sequences.timesOf(sequence, position, position + 1)![0]!;
        firstTarget = Math.min(firstTarget, time);
        if (split !== 'test') continue;
        testRows++;
        future += later(time);
      }
    const total = times.length;
    const afterFirst = later(firstTarget);
    const firstOfUsers = firstInteraction(dataset, hasTrain);
    const futureShare = total === 0 || testRows === 0 ? 0 : future / testRows / total;
    const severity =
      futureShare >= limits.severe
        ? 'severe'
        : afterFirst > limits.warning * total
          ? 'warning'
          : 'info';
    return {
      id: 'split-time',
      severity,
      isKnown: true,
      figures: {
        hasTimes: true,
        rule: dataset.manifest.splitRule.rule,
        trainInteractions: total,
        laterThanFirstHeldOutTarget: afterFirst,
        laterThanFirstHeldOutInteraction: firstOfUsers === null ? null : later(firstOfUsers),
        futureShareOfTestTarget: futureShare,
      },
      figure: `${outOf(afterFirst, total)} train interactions after the first held-out target${firstOfUsers === null ? '' : `, ${later(firstOfUsers)} after the first held-out interaction`}; a test target sees ${percent(futureShare)} of train from its future`,
      message:
        severity === 'info'
          ? 'Train ends before what is held out begins.'
          : 'The split is not one of time: methods learn from interactions later than what they are asked, such as what became popular.',
      advice:
        severity === 'info'
          ? ''
          : 'Import with --split by-time where results have to hold for the future.',
    };
  },
};

/** Times of all train interactions, ascending, and the sequences they are in. */
function trainTimes(dataset: Dataset): { times: Float64Array; hasTrain: Set<number> } {
  const end = new Map<number, number>();
  for (const { sequence, position } of rowsOf(dataset, 'train'))
    end.set(sequence, Math.max(position + 1, end.get(sequence) ?? 0));
  let count = 0;
  for (const length of end.values()) count += length;
  const times = new Float64Array(count);
  let used = 0;
  for (const [sequence, length] of end) {
    times.set(dataset.sequences.timesOf(sequence, 0, length)!, used);
    used += length;
  }
  return { times: times.sort(), hasTrain: new Set(end.keys()) };
}

/** First interaction of users who are held out as a whole; null where there are none. */
function firstInteraction(dataset: Dataset, hasTrain: ReadonlySet<number>): number | null {
  let first = Number.POSITIVE_INFINITY;
  for (const split of heldOutSplits)
    for (const { sequence } of rowsOf(dataset, split))
      if (!hasTrain.has(sequence))
        first = Math.min(first, dataset.sequences.timesOf(sequence, 0, 1)![0]!);
  return first === Number.POSITIVE_INFINITY ? null : first;
}

/** First place in ascending values above `limit`. */
function firstAbove(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
