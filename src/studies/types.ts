/**
 * What a study is asked for, and what became of it.
 */
import type { Dataset, Protocol } from '../data/index.js';
import type { Comparison, Evaluation } from '../evaluation/index.js';
import type { RunFolder } from '../training/index.js';
import type { StudyExample } from './examples.js';
import type { StudySettings, Variant } from './settings.js';

export interface Study {
  title: string;
  settings: StudySettings;
  /** Path of the base model's files, for methods that need one. */
  basePath?: string;
  /** Only the first rows of the test split. */
  testRows?: number;
  /** Also evaluate on `test-wide`, and on up to this many windows per user of it. */
  wideRowsPerUser?: number;
  /** Also generate answers with the methods that can. */
  isGenerating?: boolean;
  /** Also measure on validation which searching method `recommend` had best use. */
  isChoosing?: boolean;
  /** Command that repeats it, for the report. */
  command: string;
}

/** Rows that methods are measured on together. */
export interface RowSet {
  protocol: Protocol;
  split: 'test' | 'test-wide';
  /** Of `test-wide`, only up to so many windows of a user, evenly spaced. */
  perUser?: number;
}

/** What one run scored on rows. */
export interface Measured extends RowSet {
  evaluation: Evaluation;
}

/** What became of one run. */
export interface StudyRun {
  name: string;
  seed: number;
  trainSeconds: number;
  folder: RunFolder;
  measured: readonly Measured[];
  /**
   * Of one that searches the catalog, where a study chooses: the target's reciprocal place in expectation, on windows of
   * validation users. Methods stop or are fitted on some of these windows, a blend on all: it is a little too good.
   */
  quality?: number;
  /** Answers in words. */
  generated?: Evaluation;
}

/** What became of one row of the study. */
export interface StudyMethod {
  variant: Variant;
  /** One per seed. */
  runs: readonly StudyRun[];
}

/** All methods on the same rows. */
export interface StudySection extends RowSet {
  /** Of every method measured there; of several seeds, their mean. */
  evaluations: readonly Evaluation[];
  /** The main method against each other one, Holm-corrected; its control first, then the best first. */
  comparisons: readonly Comparison[];
}

export interface StudyResult {
  dataset: Dataset;
  base?: { name: string; parameters: number };
  methods: readonly StudyMethod[];
  /** By protocol; of each, `test` first. */
  sections: readonly StudySection[];
  examples: readonly StudyExample[];
  /** What validation says is best of those that search the catalog, where the study chooses. */
  chosen?: StudyMethod;
  /** Path of the page; of the first protocol, where there are several. */
  report: string;
  seconds: number;
}
