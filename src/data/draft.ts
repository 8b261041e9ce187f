/**
 * A dataset before it is written: what every source is turned into.
 */
import type { AttributeInfo } from './attribute.js';
import { evenlySpaced, RowRanges } from './row-ranges.js';
import type { SequenceStore } from './sequence-store.js';
import type { Item } from './types.js';

/** Which targets become rows. */
export interface WindowRule {
  /** Rows with fewer history items are left out. */
  minHistory: number;
  /** Items shown; older ones are cut. */
  maxHistory: number;
}

/** The rule of the papers. */
export const publishedWindow: WindowRule = { minHistory: 3, maxHistory: 10 };

/** Content of a dataset folder, without what follows from it (test-wide, candidates, hashes). */
export interface DatasetDraft {
  name: string;
  origin: string;
  licence: string;
  citation: string;
  titles: string;
  splitRule: { rule: string } & Record<string, unknown>;
  window: WindowRule;
  items: readonly Item[];
  /** Attributes that items have, with their types. */
  attributes?: readonly AttributeInfo[];
  sequences: SequenceStore;
  train: RowRanges;
  validation: RowRanges;
  test: RowRanges;
  dropped: Record<string, number>;
  notes: string[];
}

/** Most windows per test user in `test-wide`. */
export const wideRowsPerUser = 20;

/**
 * Rows of `test-wide`: up to 20 evenly spaced targets of every test sequence, the last one always
 * among them. Targets up to the sequence's last train or validation row are left out.
 */
export function wideTestRows(draft: DatasetDraft): RowRanges {
  const rows = new RowRanges();
  const train = draft.train.lastPositions();
  const validation = draft.validation.lastPositions();
  for (const [sequence, last] of draft.test.lastPositions()) {
    const seen = Math.max(train.get(sequence) ?? -1, validation.get(sequence) ?? -1);
    const first = Math.max(draft.window.minHistory, seen + 1);
    for (const position of evenlySpaced(first, last, wideRowsPerUser))
      rows.add({ sequence, first: position, last: position });
  }
  return rows;
}
