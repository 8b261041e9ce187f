/**
 * Rules that cut sequences into train, validation and test rows.
 *
 * - `by-user`, as published: users are ordered by their first time and cut by fractions; a train
 *   user gives all rows, the others one each, their last. Measures users never seen in training.
 * - `by-time`: two cut times common to all users; a row belongs where the time of its target falls.
 *   No train target is as late as any validation target: nothing is learned from the future.
 * - `leave-one-out`: of every sequence the last item is for test, the last but one for validation.
 *   Usual for SASRec and the like; other users' later interactions may be in train.
 */
import { mismatch } from '../errors/index.js';
import type { DatasetDraft, WindowRule } from './draft.js';
import { RowRanges } from './row-ranges.js';
import type { SequenceStore } from './sequence-store.js';

/** Names of the rules. */
export const splitRules = ['by-user', 'by-time', 'leave-one-out'] as const;

/** Name of a rule. */
export type SplitRule = (typeof splitRules)[number];

/** Sizes of train, validation and test relative to each other, such as 8, 1, 1. */
export type Fractions = readonly [number, number, number];

/** Rows of the three splits and what the manifest says about them. */
export type SplitResult = Pick<DatasetDraft, 'train' | 'validation' | 'test' | 'splitRule'>;

/** Options of {@link splitSequences}. */
export interface SplitOptions {
  rule: SplitRule;
  window: WindowRule;
  /** Not used by `leave-one-out`. */
  fractions?: Fractions;
}

/**
 * Cuts sequences by a rule.
 *
 * @throws IloraError `usage` for fractions that make no sense or `by-time` without times
 */
export function splitSequences(
  sequences: SequenceStore,
  { rule, window, fractions = [8, 1, 1] }: SplitOptions,
): SplitResult {
  if (fractions.some((part) => !(part >= 0)) || !(fractions[0] > 0 && fractions[2] > 0))
    throw mismatch('usage', {
      where: 'split fractions',
      expected: 'three numbers, the first and the last above 0, such as 8:1:1',
      got: fractions.join(':'),
    });
  if (rule === 'leave-one-out') return leaveOneOut(sequences, window);
  if (rule === 'by-user') return byUser(sequences, window, fractions);
  if (!sequences.hasTimes)
    throw mismatch('usage', {
      where: 'split rule by-time',
      expected: 'interactions with times',
      got: 'none',
      hint: 'use leave-one-out or by-user',
    });
  return byTime(sequences, window, fractions);
}

function byUser(
  sequences: SequenceStore,
  { minHistory }: WindowRule,
  fractions: Fractions,
): SplitResult {
  const long: number[] = [];
  for (let i = 0; i < sequences.size; i++) if (sequences.length(i) > minHistory) long.push(i);
  const place = assignByFirstTime(
    long.map((i) => sequences.timesOf(i, 0, 1)?.[0] ?? i),
    fractions,
  );
  const split = emptySplit();
  for (const [i, sequence] of long.entries()) {
    const last = sequences.length(sequence) - 1;
    const name = place[i]!;
    split[name].add({ sequence, first: name === 'train' ? minHistory : last, last });
  }
  const orderedBy = sequences.hasTimes ? 'first time' : 'first appearance';
  return { ...split, splitRule: { rule: 'by-user', orderedBy, fractions } };
}

function byTime(
  sequences: SequenceStore,
  { minHistory }: WindowRule,
  fractions: Fractions,
): SplitResult {
  let count = 0;
  for (let i = 0; i < sequences.size; i++) count += Math.max(0, sequences.length(i) - minHistory);
  const times = new Float64Array(count);
  let filled = 0;
  for (let i = 0; i < sequences.size; i++) {
    const targets = sequences.timesOf(i)!.subarray(minHistory);
    times.set(targets, filled);
    filled += targets.length;
  }
  times.sort();
  const [validationFrom, testFrom] = cutPlaces(count, fractions).map(
    (place) => times[place] ?? Number.POSITIVE_INFINITY,
  ) as [number, number];
  const split = emptySplit();
  for (let sequence = 0; sequence < sequences.size; sequence++) {
    const own = sequences.timesOf(sequence)!;
    const validation = Math.max(minHistory, firstAtLeast(own, validationFrom));
    const test = Math.max(minHistory, firstAtLeast(own, testFrom));
    split.train.add({ sequence, first: minHistory, last: validation - 1 });
    split.validation.add({ sequence, first: validation, last: test - 1 });
    split.test.add({ sequence, first: test, last: own.length - 1 });
  }
  return { ...split, splitRule: { rule: 'by-time', fractions, validationFrom, testFrom } };
}

function leaveOneOut(sequences: SequenceStore, { minHistory }: WindowRule): SplitResult {
  const split = emptySplit();
  for (let sequence = 0; sequence < sequences.size; sequence++) {
    const last = sequences.length(sequence) - 1;
    if (last >= minHistory) split.test.add({ sequence, first: last, last });
    if (last - 1 >= minHistory) split.validation.add({ sequence, first: last - 1, last: last - 1 });
    split.train.add({ sequence, first: minHistory, last: last - 2 });
  }
  return { ...split, splitRule: { rule: 'leave-one-out' } };
}

/** Split of every user: by first time ascending, users with equal times in their given order. */
export function assignByFirstTime(
  firstTimes: readonly number[],
  fractions: Fractions,
): ('train' | 'validation' | 'test')[] {
  const order = firstTimes
    .map((_, i) => i)
    .sort((i, j) => firstTimes[i]! - firstTimes[j]! || i - j);
  const [validationFrom, testFrom] = cutPlaces(order.length, fractions);
  const split: ('train' | 'validation' | 'test')[] = [];
  for (const [rank, i] of order.entries())
    split[i] = rank < validationFrom ? 'train' : rank < testFrom ? 'validation' : 'test';
  return split;
}

/** Places at which validation and test begin, rounded down. */
function cutPlaces(count: number, [train, validation, test]: Fractions): [number, number] {
  const sum = train + validation + test;
  return [Math.floor((count * train) / sum), Math.floor((count * (train + validation)) / sum)];
}

/** First place in ascending values that is not below `limit`. */
function firstAtLeast(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function emptySplit(): Record<'train' | 'validation' | 'test', RowRanges> {
  return { train: new RowRanges(), validation: new RowRanges(), test: new RowRanges() };
}
