/**
 * The nouns of the data layer: items, sequences, windows, queries, instances.
 *
 * A window is an index slice into a sequence, never a copy. A query is what a recommender is asked; an
 * instance is a window as a query, with the item that came next.
 */

import type { Attributes } from './attribute.js';

/** One item of the catalog. Ids are 0-based and contiguous; the padding id is the catalog's size. */
export interface Item {
  id: number;
  /** Title as shown to the language model. */
  title: string;
  /** Title as it stands in the source. */
  sourceTitle: string;
  /** Id in the source, as text. */
  sourceId: string;
  /** What else is known of it; empty where nothing is. */
  attributes: Attributes;
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

/**
 * How much of a user's past a query holds. Figures of different protocols never share a column.
 *
 * - `window`: the last `maxHistory` items, as the papers show them;
 * - `history`: all of it. Items that the user has had are then no answers, as any service would have it.
 */
export type Protocol = 'window' | 'history';

export const protocols: readonly Protocol[] = ['window', 'history'];

/** How a row becomes an instance. */
export interface InstanceOptions {
  /**
   * Keys of the candidates. Left out: the frozen ones, and for train those of the dataset's own seed at epoch 0.
   * Given: a fresh draw, for frozen splits too.
   */
  draw?: CandidateDraw;
  /** `window` unless said. The candidates are the same in both. */
  protocol?: Protocol;
}

/** Which windows of a split's users are taken, beside its rows. */
export interface WindowsOptions {
  /** Most windows of a user, evenly spaced, the last one always; all by default. */
  perUser?: number;
  /** `window` unless said. */
  protocol?: Protocol;
}

/** A user's history, and what else is known when something is asked for. */
export interface Query {
  /** Item ids, oldest first, without padding. */
  history: readonly number[];
  /** Unix seconds of the history's items, where they are known. */
  times?: readonly number[];
  /** What a caller knows beside the history, such as the device or the hour. */
  context?: Readonly<Record<string, string | number | boolean>>;
}

/** A query that asks for the scores of given items. */
export interface CandidateQuery extends Query {
  /** Item ids; any order, each once. */
  candidates: readonly number[];
}

/** A query that asks for the best items of the whole catalog. */
export interface RetrievalQuery extends Query {
  /** k: items wanted; fewer come where the catalog has fewer. */
  count: number;
  /** Whether items of the history may come again; left out by default. */
  includesHistory?: boolean;
}

/** A query with its answer: one row of a split. */
export interface Instance extends CandidateQuery {
  split: SplitName;
  /** Row number in its split, which keys the frozen candidates; of `Dataset.windows`, the number of the window. */
  row: number;
  /** How much of the past the history holds; absent where nobody said, which is `window`. */
  protocol?: Protocol;
  user: string;
  /** The item that came next. */
  target: number;
  /**
   * Number of items that negatives are drawn from: all but the target and the last `maxHistory` items. Absent where
   * the candidates do not come from a draw.
   */
  pool?: number;
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
