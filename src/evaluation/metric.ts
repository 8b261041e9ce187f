/**
 * The metrics of next-item prediction among candidates, each from the outcomes of the rows.
 *
 * One target per row, so HR@k is the share of rows with place ≤ k, NDCG@k the mean of
 * 1 / log₂(1 + place) where place ≤ k, and MRR the mean of 1 / place.
 */
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
  | 'mrr';

/** Every metric that an evaluation has; those of the ranking are absent where text was generated. */
export type Metrics = { hr_at_1: Estimate; valid_ratio: Estimate } & Partial<
  Record<MetricName, Estimate>
>;

interface Definition {
  label: string;
  /** Whether each row counts 0 or 1. */
  proportion: boolean;
  /** Undefined where the outcome cannot say (no place). */
  part: (outcome: Outcome) => Part | undefined;
}

const hitRatio = (k: number): Definition => ({
  label: `HR@${k}`,
  proportion: true,
  part: ({ place }) => atPlace(place, (r) => (r <= k ? 1 : 0)),
});

const ndcg = (k: number): Definition => ({
  label: `NDCG@${k}`,
  proportion: false,
  part: ({ place }) => atPlace(place, (r) => (r <= k ? 1 / Math.log2(1 + r) : 0)),
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

/** All metrics that the outcomes can tell. */
export function measure(outcomes: readonly Outcome[], options: BootstrapOptions): Metrics {
  const users = outcomes.map(({ user }) => user);
  const metrics: Partial<Record<MetricName, Estimate>> = {};
  for (const name of METRIC_NAMES) {
    const parts = metricParts(name, outcomes);
    if (parts === undefined) continue;
    const figure = estimate(parts, users, { ...options, proportion: DEFINITIONS[name].proportion });
    if (figure !== undefined) metrics[name] = figure;
  }
  return metrics as Metrics;
}

function atPlace(place: number | undefined, value: (place: number) => number): Part | undefined {
  return place === undefined ? undefined : { value: value(place), weight: 1 };
}
