/** What a report shows. Everything is plain data, gathered by the caller. */
import type { Comparison, Evaluation } from '../evaluation/index.js';

/** Loss at one moment of training. */
export interface LossPoint {
  /** Optimizer steps done. */
  step: number;
  train?: number;
  validation?: number;
}

/** One line of the table of methods. */
export interface ReportMethod {
  /** Name shown, different for every method: `iLoRA`, `LoRA`, `SASRec` ... */
  label: string;
  evaluation: Evaluation;
  /** The method the report is about; drawn in the accent colour. At most one. */
  isMain?: boolean;
  /** Undefined for methods that are not trained. */
  trainSeconds?: number;
  losses?: readonly LossPoint[];
}

/** Two methods on the same rows, under the names that readers see. */
export interface ReportComparison {
  first: string;
  second: string;
  comparison: Comparison;
}

/** A row of the heat map of expert weights; one per user. */
export interface ExpertWeights {
  user: string;
  /** One per expert, summing to 1. */
  weights: readonly number[];
}

/** An item as it is shown. */
export interface ShownItem {
  title: string;
  /** What else is known of it, in one short line. */
  details?: string;
}

/** One recommendation in full. */
export interface WorkedExample {
  user: string;
  /** Oldest first. */
  history: readonly ShownItem[];
  /** Items before these that are not shown; none by default. */
  earlier?: number;
  /** In any order; the report ranks them. */
  candidates: readonly (ShownItem & { score: number; isTarget: boolean })[];
  gates?: readonly number[];
}

/** The rows that were scored. */
export interface ReportDataset {
  name: string;
  /** `test`, `validation` ... */
  split: string;
  numCandidates: number;
  numItems?: number;
  numTrainRows?: number;
  /** Of the file of frozen candidates. */
  candidatesSha256?: string;
}

/** Everything in a report, in the order in which it is shown. */
export interface ReportData {
  title: string;
  /** One paragraph; composed from the figures when left out. */
  summary?: string;
  /** ISO 8601. */
  createdAt: string;
  dataset: ReportDataset;
  methods: readonly ReportMethod[];
  /** The first is the one put into words in full. */
  comparisons: readonly ReportComparison[];
  expertWeights?: readonly ExpertWeights[];
  examples?: readonly WorkedExample[];
  /** The resolved settings as YAML. */
  settings: string;
  seeds: Readonly<Record<string, number>>;
  hashes: Readonly<Record<string, string>>;
  machine: Readonly<Record<string, string>>;
  timings: readonly { label: string; seconds: number }[];
  /** Command that makes this report again. */
  command?: string;
  /** Further notes on how to read the figures, after those that hold for every report. */
  notes?: readonly string[];
}
