/**
 * Ways over the rows and sequences of a dataset that several checks share.
 */
import type { Dataset } from '../data/index.js';
import { coldRuleOf, type SplitName, splitNames } from '../data/index.js';

/** A row as views into its sequence. */
export interface RowView {
  row: number;
  sequence: number;
  /** Place of the target in its sequence. */
  position: number;
  /** Items shown, oldest first. */
  history: Int32Array;
  target: number;
}

/** Splits whose rows are counted; `test-wide` repeats test users and would count them twice. */
export const auditedSplits = ['train', 'validation', 'test'] as const;

/** Splits held out of training, without `test-wide`. */
export const heldOutSplits = ['validation', 'test'] as const;

/** All rows of a split without drawing candidates. */
export function* rowsOf(dataset: Dataset, split: SplitName): Generator<RowView> {
  const { sequences, manifest } = dataset;
  for (let row = 0; row < dataset.rows(split); row++) {
    const { sequence, position } = dataset.window(split, row);
    const shown = sequences.itemsOf(
      sequence,
      Math.max(0, position - manifest.window.maxHistory),
      position + 1,
    );
    yield { row, sequence, position, history: shown.subarray(0, -1), target: shown.at(-1)! };
  }
}

/** One value per audited split. */
export function perSplit<T>(
  value: (split: (typeof auditedSplits)[number]) => T,
): Record<string, T> {
  return Object.fromEntries(auditedSplits.map((split) => [split, value(split)]));
}

/** Numbers of the sequences that have rows in a split, in order. */
export function sequencesIn(dataset: Dataset, split: SplitName): number[] {
  const found: number[] = [];
  for (let row = 0, rows = dataset.rows(split); row < rows; row++) {
    const { sequence } = dataset.window(split, row);
    if (found.at(-1) !== sequence) found.push(sequence);
  }
  return [...new Set(found)];
}

/** How often each item occurs in what is for training. */
export function trainCounts(dataset: Dataset): Int32Array {
  const counts = new Int32Array(dataset.catalog.size);
  for (const { items } of dataset.sequencesOf('train')) for (const item of items) counts[item]!++;
  return counts;
}

/** The rule that put users on their side; of a split by cold items that of its parent. */
export function userRule({ manifest }: Dataset): Dataset['manifest']['splitRule'] {
  return coldRuleOf(manifest.splitRule)?.parent.splitRule ?? manifest.splitRule;
}

/** Whether each published row stands for a sequence of its own, so that users are not known. */
export function hasRowsOnly(dataset: Dataset): boolean {
  const { rule, train } = userRule(dataset);
  return rule === 'as-published' && train === 'rows';
}

/** Whether the source says which user a sequence belongs to. */
export function namesUsers(dataset: Dataset): boolean {
  return userRule(dataset).rule !== 'as-published';
}

/** Number of rows of all splits. */
export function rowCount(dataset: Dataset): number {
  return splitNames.reduce((sum, split) => sum + dataset.rows(split), 0);
}
