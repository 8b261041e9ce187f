/**
 * The metrics of next-item prediction, each from the outcomes of the rows.
 *
 * One target per row, so HR@k is the share of rows with place ≤ k, NDCG@k the mean of
 * 1 / log₂(1 + place) where place ≤ k, and MRR the mean of 1 / place.
 *
 * - Among the frozen candidates: one draw, which another would change.
 * - `expected_`: the mean over all draws of as many candidates, in closed form (`candidate-odds.ts`).
 * - `catalog_`, and recall: among all items outside the history; place = rivals + 1.
 */
import { type DrawOdds, firstPlaceOdds, reciprocalPlaceOdds } from '../data/index.js';
import { type BootstrapOptions, type Estimate, estimate, type Part } from './interval.js';
import type { Outcome } from './outcome.js';

export type MetricName =
  | 'hr_at_1'
  | 'hr_at_1_valid'
  | 'valid_ratio'
  | 'hr_at_3'
  | 'hr_at_5'
  | 'hr_at_10'
  | 'ndcg_at_5'
  | 'ndcg_at_10'
  | 'mrr'
  | 'expected_hr_at_1'
  | 'expected_mrr'
  | 'catalog_hr_at_10'
  | 'catalog_ndcg_at_10'
  | 'recall_at_50';

/** Every metric that an evaluation has; those of the ranking are absent where text was generated. */
export type Metrics = { hr_at_1: Estimate; valid_ratio: Estimate } & Partial<
  Record<MetricName, Estimate>
>;

interface Definition {
  /** In tables. */
  label: string;
  /** Whether each row counts 0 or 1. */
  proportion: boolean;
  /** Undefined where the outcome cannot say (no place). */
  part: (outcome: Outcome) => Part | undefined;
}

/** Which place a metric looks at. */
type PlaceOf = (outcome: Outcome) => number | undefined;

const amongCandidates: PlaceOf = ({ place }) => place;
const inCatalog: PlaceOf = ({ rivals, isRepeat }) =>
  rivals === undefined ? undefined : isRepeat ? Number.POSITIVE_INFINITY : rivals + 1;

const hitRatio = (k: number, placeOf = amongCandidates, label = `HR@${k}`): Definition => ({
  label,
  proportion: true,
  part: (outcome) => atPlace(placeOf(outcome), (r) => (r <= k ? 1 : 0)),
});

const ndcg = (k: number, placeOf = amongCandidates, label = `NDCG@${k}`): Definition => ({
  label,
  proportion: false,
  part: (outcome) => atPlace(placeOf(outcome), (r) => (r <= k ? 1 / Math.log2(1 + r) : 0)),
});

const expected = (label: string, odds: (draw: DrawOdds) => number): Definition => ({
  label,
  proportion: false,
  part({ pool, rivals, candidates }) {
    if (pool === undefined || rivals === undefined) return undefined;
    return { value: odds({ pool, rivals, negatives: candidates.length - 1 }), weight: 1 };
  },
});

const DEFINITIONS: Record<MetricName, Definition> = {
  hr_at_1: {
    label: 'HR@1',
    proportion: true,
    part: ({ hit }) => ({ value: hit ? 1 : 0, weight: 1 }),
  },
  hr_at_1_valid: {
    label: 'HR@1 (valid)',
    proportion: true,
    part: ({ hit, answer }) => ({ value: hit ? 1 : 0, weight: answer === undefined ? 0 : 1 }),
  },
  valid_ratio: {
    label: 'ValidRatio',
    proportion: true,
    part: ({ answer }) => ({ value: answer === undefined ? 0 : 1, weight: 1 }),
  },
  hr_at_3: hitRatio(3),
  hr_at_5: hitRatio(5),
  hr_at_10: hitRatio(10),
  ndcg_at_5: ndcg(5),
  ndcg_at_10: ndcg(10),
  mrr: { label: 'MRR', proportion: false, part: ({ place }) => atPlace(place, (r) => 1 / r) },
  expected_hr_at_1: expected('expected HR@1', firstPlaceOdds),
  expected_mrr: expected('expected MRR', reciprocalPlaceOdds),
  catalog_hr_at_10: hitRatio(10, inCatalog, 'catalog HR@10'),
  catalog_ndcg_at_10: ndcg(10, inCatalog, 'catalog NDCG@10'),
  recall_at_50: hitRatio(50, inCatalog, 'recall@50'),
};

/** The metrics' names in the order in which tables show them. */
export const METRIC_NAMES = Object.keys(DEFINITIONS) as readonly MetricName[];

/** Name in tables: `HR@1`, `NDCG@10` ... */
export function metricLabel(name: MetricName): string {
  return DEFINITIONS[name].label;
}

/** Each row's part of a metric, or undefined when some row cannot say. */
export function metricParts(name: MetricName, outcomes: readonly Outcome[]): Part[] | undefined {
  const parts = outcomes.map(DEFINITIONS[name].part);
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

/** Each row's part of a metric, meant over several runs on the same rows. */
export function meanParts(
  name: MetricName,
  runs: readonly (readonly Outcome[])[],
): Part[] | undefined {
  const parts = runs.map((outcomes) => metricParts(name, outcomes));
  const [first, ...others] = parts;
  if (first === undefined || !others.every((run) => run !== undefined)) return undefined;
  if (others.length === 0) return first;
  const mean = (row: number, key: keyof Part): number =>
    others.reduce((sum, run) => sum + run[row]![key], first[row]![key]) / parts.length;
  return first.map((_, row) => ({ value: mean(row, 'value'), weight: mean(row, 'weight') }));
}

/** All metrics that the outcomes can tell. */
export const measure = (outcomes: readonly Outcome[], options: BootstrapOptions): Metrics =>
  measureMean([outcomes], options);

/** All metrics of the rows' means over runs; of several, every interval is a bootstrap. */
export function measureMean(
  runs: readonly (readonly Outcome[])[],
  options: BootstrapOptions,
): Metrics {
  const users = runs[0]!.map(({ user }) => user);
  const metrics: Partial<Record<MetricName, Estimate>> = {};
  for (const name of METRIC_NAMES) {
    const parts = meanParts(name, runs);
    if (parts === undefined) continue;
    const proportion = runs.length === 1 && DEFINITIONS[name].proportion;
    const figure = estimate(parts, users, { ...options, proportion });
    if (figure !== undefined) metrics[name] = figure;
  }
  return metrics as Metrics;
}

function atPlace(place: number | undefined, value: (place: number) => number): Part | undefined {
  return place === undefined ? undefined : { value: value(place), weight: 1 };
}
