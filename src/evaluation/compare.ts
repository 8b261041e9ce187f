/**
 * Paired comparison of two methods on the same rows and candidates.
 *
 * Sources: Q. McNemar 1947 (exact, two-sided binomial on the rows that only one method hits); S. Holm
 * 1979 (step-down correction). McNemar takes rows as independent; where users repeat, whole users
 * flip sign instead (a randomisation test, which is the same test when every user has one row).
 * Expected HR@1 is no yes or no, and neither is a mean over runs: there users always flip the sign of the sum of
 * their differences.
 */

import type { Protocol } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { Random } from '../random/index.js';
import type { Evaluation } from './evaluate.js';
import { type BootstrapOptions, bootstrapRatio, groupByUser, type Part } from './interval.js';
import { type MetricName, meanParts } from './metric.js';
import type { Outcome } from './outcome.js';

/** A difference of one metric, first method minus second, with its paired 95 % interval. */
export interface Difference {
  value: number;
  low: number;
  high: number;
}

export interface Comparison {
  /** Differences are the first minus the second. */
  methods: readonly [string, string];
  numRows: number;
  numUsers: number;
  protocol: Protocol;
  /** Runs with different seeds of each method, where one has several: then what is compared are the rows' means. */
  runs?: readonly [number, number];
  /** Rows by who hit the target; of several runs, the mean over them. */
  hits: { both: number; onlyFirst: number; onlySecond: number; neither: number };
  /** `mcnemar` where every user has one row and every method one run, `sign-flip` over users otherwise. */
  test: 'mcnemar' | 'sign-flip';
  /** Two-sided, for equal HR@1. */
  pValue: number;
  /** After Holm's correction over the comparisons made together. */
  adjustedPValue?: number;
  /** For equal expected HR@1, by sign flips over users: far less noisy than one draw. Absent without catalogs. */
  expected?: { pValue: number; adjustedPValue?: number };
  differences: { hr_at_1: Difference } & Partial<Record<PairedMetric, Difference>>;
}

/** What is compared beside HR@1. */
const PAIRED = ['ndcg_at_10', 'mrr', 'expected_hr_at_1', 'expected_mrr'] as const;
type PairedMetric = (typeof PAIRED)[number];

export interface CompareOptions {
  /** Of bootstrap and sign-flip; 0 unless said. */
  seed?: number;
  resamples?: number;
}

/** A method's evaluation, or those of its runs with different seeds: then the means of each row are compared. */
export type Compared = Evaluation | readonly Evaluation[];

/**
 * Compares two methods row by row.
 *
 * @throws IloraError (`data`) unless all evaluations are of one protocol and of the same rows, users, targets and
 *   candidates, in order
 */
export function compare(
  one: Compared,
  other: Compared,
  { seed = 0, resamples = 10_000 }: CompareOptions = {},
): Comparison {
  const [firsts, seconds] = [runsOf(one), runsOf(other)];
  const first = firsts[0]!;
  for (const evaluation of [...firsts, ...seconds]) checkSameRows(first, evaluation);
  const options = { seed, resamples };
  const groups = groupByUser(first.outcomes.map(({ user }) => user));
  const hits = meanHits(firsts, seconds);
  const isRepeated = firsts.length > 1 || seconds.length > 1;
  const isFlipped = isRepeated || groups.length < first.numRows;
  const [runs, otherRuns] = [firsts, seconds].map((all) => all.map(({ outcomes }) => outcomes));
  const partsOf = (name: MetricName) => pairedParts(name, runs!, otherRuns!);
  const differences = ['hr_at_1' as const, ...PAIRED].flatMap((name) => {
    const parts = partsOf(name);
    return parts === undefined ? [] : [[name, difference(parts, groups, options)]];
  });
  const flipped = (name: MetricName): number | undefined => {
    const parts = partsOf(name);
    return parts && signFlip(userSums(parts, groups), options);
  };
  const expected = flipped('expected_hr_at_1');
  return {
    methods: [first.method, seconds[0]!.method],
    numRows: first.numRows,
    numUsers: groups.length,
    protocol: first.protocol,
    ...(isRepeated && { runs: [firsts.length, seconds.length] as const }),
    hits,
    test: isFlipped ? 'sign-flip' : 'mcnemar',
    pValue: isFlipped ? flipped('hr_at_1')! : mcnemar(hits.onlyFirst, hits.onlySecond),
    ...(expected !== undefined && { expected: { pValue: expected } }),
    differences: Object.fromEntries(differences),
  };
}

function runsOf(compared: Compared): readonly Evaluation[] {
  const runs = Array.isArray(compared) ? (compared as readonly Evaluation[]) : [compared];
  const repeated = runs.find((run) => (run as Evaluation).runs !== undefined) as
    | Evaluation
    | undefined;
  if (runs.length > 0 && repeated === undefined) return runs as readonly Evaluation[];
  throw mismatch('usage', {
    where: 'compare',
    expected: 'one evaluation per run',
    got: repeated === undefined ? 'none' : `the mean of ${repeated.runs}`,
  });
}

/** Rows by who hit the target; of several runs each with its counterpart, and the mean. */
function meanHits(
  firsts: readonly Evaluation[],
  seconds: readonly Evaluation[],
): Comparison['hits'] {
  const count = Math.max(firsts.length, seconds.length);
  const hits = { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
  for (let run = 0; run < count; run++) {
    const others = seconds[run % seconds.length]!.outcomes;
    for (const [row, { hit }] of firsts[run % firsts.length]!.outcomes.entries()) {
      const other = others[row]!.hit;
      hits[hit ? (other ? 'both' : 'onlyFirst') : other ? 'onlySecond' : 'neither']++;
    }
  }
  for (const key of Object.keys(hits) as (keyof typeof hits)[]) hits[key] /= count;
  return hits;
}

/** Compares one method with several others; p-values are Holm-adjusted over all of them, for each question apart. */
export function compareWithAll(
  first: Compared,
  others: readonly Compared[],
  options: CompareOptions = {},
): Comparison[] {
  return comparePairs(
    others.map((other) => [first, other] as const),
    options,
  );
}

/** Compares methods in pairs; p-values are Holm-adjusted over all pairs, for each question apart. */
export function comparePairs(
  pairs: readonly (readonly [Compared, Compared])[],
  options: CompareOptions = {},
): Comparison[] {
  const comparisons = pairs.map(([first, second]) => compare(first, second, options));
  const adjusted = holm(comparisons.map(({ pValue }) => pValue));
  const ofExpected = holm(comparisons.flatMap(({ expected }) => expected?.pValue ?? []));
  return comparisons.map((comparison, index) => ({
    ...comparison,
    adjustedPValue: adjusted[index]!,
    ...(comparison.expected && {
      expected: { ...comparison.expected, adjustedPValue: ofExpected.shift()! },
    }),
  }));
}

/**
 * Exact two-sided McNemar test.
 *
 * p = min(1, 2 · P(X ≤ min(a, b))),  X ~ Binomial(a + b, ½)
 *
 * @param onlyFirst   rows that only the first method hits
 * @param onlySecond  rows that only the second method hits
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const total = onlyFirst + onlySecond;
  const smaller = Math.min(onlyFirst, onlySecond);
  let logTerm = -total * Math.LN2; // log of C(total, k) / 2^total, from k = 0
  let tail = 0;
  for (let k = 0; k <= smaller; k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((total - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}

/** Holm's step-down adjustment; results stand in the order of the arguments. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, index) => index).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let running = 0;
  order.forEach((index, place) => {
    running = Math.max(running, Math.min(1, (pValues.length - place) * pValues[index]!));
    adjusted[index] = running;
  });
  return adjusted;
}

/** Sum of each user's differences. */
const userSums = (parts: readonly Part[], groups: readonly (readonly number[])[]): number[] =>
  groups.map((rows) => rows.reduce((sum, row) => sum + parts[row]!.value, 0));

/** Difference of each row, first method minus second. */
function pairedParts(
  name: MetricName,
  first: readonly (readonly Outcome[])[],
  second: readonly (readonly Outcome[])[],
): Part[] | undefined {
  const firstParts = meanParts(name, first);
  const secondParts = meanParts(name, second);
  if (firstParts === undefined || secondParts === undefined) return undefined;
  return firstParts.map(({ value }, row) => ({
    value: value - secondParts[row]!.value,
    weight: 1,
  }));
}

/** Two-sided share of random sign patterns whose sum is at least as far from 0 as the one seen. */
function signFlip(differences: readonly number[], { seed, resamples }: BootstrapOptions): number {
  const moving = differences.filter((value) => value !== 0);
  // Sums that are equal but for rounding are as far as each other.
  const seen = Math.abs(moving.reduce((sum, value) => sum + value, 0)) * (1 - 1e-9);
  const random = new Random(seed, 'sign-flip');
  let asFar = 0;
  for (let sample = 0; sample < resamples; sample++) {
    let sum = 0;
    for (const value of moving) sum += random.uint32() & 1 ? value : -value;
    if (Math.abs(sum) >= seen) asFar++;
  }
  // The pattern seen is one of the possible ones: a Monte Carlo p-value is never 0.
  return (asFar + 1) / (resamples + 1);
}

function difference(
  parts: readonly Part[],
  groups: readonly (readonly number[])[],
  options: BootstrapOptions,
): Difference {
  const value = parts.reduce((sum, part) => sum + part.value, 0) / parts.length;
  return { value, ...bootstrapRatio(parts, groups, options) };
}

/** @throws IloraError `data` unless both are of one protocol and the same rows */
export function checkSameRows(first: Evaluation, second: Evaluation): void {
  const where = `compare(${first.method}, ${second.method})`;
  const hint = 'evaluate both methods on the same split with the same frozen candidates';
  if (first.protocol !== second.protocol)
    throw mismatch('data', {
      where,
      expected: `two evaluations of the protocol ${first.protocol}`,
      got: second.protocol,
      hint: 'what a longer history brings is no difference between methods',
    });
  if (first.outcomes.length !== second.outcomes.length)
    throw mismatch('data', {
      where,
      expected: `the same ${first.outcomes.length} rows`,
      got: `${second.outcomes.length} rows`,
      hint,
    });
  first.outcomes.forEach((outcome, index) => {
    const fault = firstFault(outcome, second.outcomes[index]!);
    if (fault !== undefined)
      throw mismatch('data', { where: `${where}, row ${outcome.row}`, ...fault, hint });
  });
}

/** What differs between two outcomes that should be of the same row. */
function firstFault(one: Outcome, other: Outcome): { expected: string; got: unknown } | undefined {
  for (const field of ['row', 'user', 'target'] as const)
    if (one[field] !== other[field])
      return { expected: `the same ${field} (${one[field]})`, got: other[field] };
  const isSame =
    one.candidates.length === other.candidates.length &&
    one.candidates.every((item, place) => item === other.candidates[place]);
  if (isSame) return undefined;
  return { expected: `candidates [${one.candidates.join(', ')}]`, got: [...other.candidates] };
}
