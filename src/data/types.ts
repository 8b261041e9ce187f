/**
 * The nouns of the data layer: items, sequences, windows, instances.
 *
 * A window is an index slice into a sequence, never a copy; an instance is what a window becomes
 * when a recommender sees it.
 */

/** One item of the catalog. Ids are 0-based and contiguous; the padding id is the catalog's size. */
export interface Item {
  id: number;
  /** Title as shown to the language model. */
  title: string;
  /** Title as it stands in the source. */
  sourceTitle: string;
  /** Id in the source, as text. */
  sourceId: string;
}

/** All items, by id. */
export interface Catalog {
  readonly items: readonly Item[];
  /** N; also the padding id. */
  readonly size: number;
}

/** One user's interactions, oldest first. */
export interface Sequence {
  /** User id in the source, as text. */
  user: string;
  items: Int32Array;
  /** Unix seconds, when the source has times. */
  times?: Float64Array;
}

/** A target position in a sequence; its history is the (up to) `maxHistory` items before it. */
export interface Window {
  sequence: number;
  position: number;
}

/**
 * Parts of a dataset. `test-wide` holds several windows per test user, for statistics clustered by
 * user; its rows are not comparable with published figures.
 */
export type SplitName = 'train' | 'validation' | 'test' | 'test-wide';

/** All splits, in the order they are shown. */
export const splitNames: readonly SplitName[] = ['train', 'validation', 'test', 'test-wide'];

/** Splits whose candidates are frozen in files. */
export const frozenSplitNames = ['validation', 'test', 'test-wide'] as const;

/** A split with frozen candidates. */
export type FrozenSplitName = (typeof frozenSplitNames)[number];

/** Keys of a candidate draw: the same pair gives the same candidates of a row, always. */
export interface CandidateDraw {
  seed: number;
  /** Epoch, from 0; a new one gives every row new negatives. */
  epoch: number;
}

/** History, candidates and target of one prediction. */
export interface Instance {
  /** Row number in its split; keys the frozen candidates. */
  row: number;
  user: string;
  /** Item ids, oldest first; between `minHistory` and `maxHistory` of them, no padding. */
  history: readonly number[];
  target: number;
  /** Item ids, shuffled, containing the target; frozen for all splits but train. */
  candidates: readonly number[];
}

/** How far a long piece of work is. */
export interface DataProgress {
  /** What is done, in words; a new text is a new step. */
  text: string;
  /** How much of `total` is done; both are left out at the beginning of a step. */
  done?: number;
  total?: number;
  /** What is counted. */
  unit?: string;
}
