/**
 * What a study is asked for, and what became of it.
 */
import type { Dataset } from '../data/index.js';
import type { Comparison, Evaluation } from '../evaluation/index.js';
import type { Method } from '../recommenders/index.js';
import type { RunFolder } from '../training/index.js';
import type { StudyExample } from './examples.js';
import type { StudySettings } from './settings.js';

export interface Study {
  title: string;
  settings: StudySettings;
  /** Path of the base model's files, for methods that need one. */
  basePath?: string;
  /** Only the first rows of the test split. */
  testRows?: number;
  /** Also evaluate on up to this many windows per test user, of those in `test-wide`. */
  wideRowsPerUser?: number;
  /** Also generate answers with the methods that can. */
  isGenerating?: boolean;
  /** Command that repeats it, for the report. */
  command: string;
}

/** What became of one method. */
export interface StudyMethod {
  method: Method;
  evaluation: Evaluation;
  /** On several windows per user. */
  wide?: Evaluation;
  generated?: Evaluation;
  trainSeconds: number;
  folder: RunFolder;
}

export interface StudyResult {
  dataset: Dataset;
  base?: { name: string; parameters: number };
  methods: readonly StudyMethod[];
  /** The main method against each other one, Holm-corrected; its reference first. */
  comparisons: Comparison[];
  wideComparisons: Comparison[];
  examples: StudyExample[];
  report: string;
  seconds: number;
}
