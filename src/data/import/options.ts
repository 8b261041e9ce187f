/**
 * What an import is asked for, and what it answers.
 */
import type { AttributeColumn, AttributeInfo } from '../attribute.js';
import type { DatasetDraft, WindowRule } from '../draft.js';
import type { Fractions, SplitRule } from '../split.js';
import type { TitleStyle } from '../title.js';
import type { DataProgress } from '../types.js';
import type { ColumnMap } from './columns.js';
import type { BadRow } from './table.js';
import type { TextOptions } from './text-layout.js';
import type { TimeUnit } from './time.js';

/** Options of `importInteractions`. */
export interface ImportOptions {
  /** File of interactions. */
  interactions: string;
  /** File of items; without it an item's title is its id. */
  items?: string;
  /** Names of columns; the others are guessed. */
  columns?: ColumnMap;
  /** Columns of the items' file that become attributes, by either name; all further ones by default. */
  attributes?: readonly string[] | undefined;
  /** How the text files are written. */
  text?: TextOptions;
  /** Take the order in the file as order in time; no column of times is needed. */
  inFileOrder?: boolean;
  /** Leave out interactions rated lower. */
  minRating?: number;
  /** Leave out users with fewer interactions, until nothing changes. */
  minUserInteractions?: number;
  /** Leave out items with fewer interactions, until nothing changes. */
  minItemInteractions?: number;
  /** Keep items without interactions; they can then be drawn as negatives. */
  keepUnusedItems?: boolean;
  split?: SplitRule;
  fractions?: Fractions;
  window?: WindowRule;
  titleStyle?: TitleStyle;
  /** What to do with rows that cannot be taken; default `refuse`. */
  badRows?: 'refuse' | 'skip';
  /** Bad rows shown; all are counted. */
  maxListed?: number;
  name?: string;
  licence?: string;
  citation?: string;
  onProgress?: ((progress: DataProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** A dataset draft and how the files were understood. */
export interface ImportResult {
  draft: DatasetDraft;
  columns: ColumnMap;
  timeUnit: TimeUnit;
  /** Columns that became attributes, with their types. */
  attributes: readonly (AttributeInfo & AttributeColumn)[];
  /** Bad rows that were skipped, up to `maxListed`, and the count of all. */
  badRows: { count: number; listed: readonly BadRow[] };
}
