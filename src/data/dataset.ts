/**
 * An opened dataset: rows become instances on demand.
 *
 * Nothing here has a state: an instance depends on the split, the row and, for train, on the keys of
 * the candidate draw, never on what was asked for before.
 */

import { Random } from '../random/index.js';
import type { CandidateSampler } from './candidates.js';
import type { RowRanges } from './row-ranges.js';
import type { SequenceStore } from './sequence-store.js';
import type { DatasetManifest } from './store/index.js';
import type {
  CandidateDraw,
  Catalog,
  FrozenSplitName,
  Instance,
  InstanceOptions,
  Sequence,
  SplitName,
  Window,
} from './types.js';

/** What an opened dataset consists of. */
export interface DatasetParts {
  folder: string;
  manifest: DatasetManifest;
  catalog: Catalog;
  sequences: SequenceStore;
  rows: Record<SplitName, RowRanges>;
  /** Frozen candidates, row after row. */
  candidates: Record<FrozenSplitName, Int32Array>;
  sampler: CandidateSampler;
}

/** Items, sequences, rows and candidates; made by `openDataset`. */
export class Dataset {
  readonly folder: string;
  readonly manifest: DatasetManifest;
  readonly catalog: Catalog;

  constructor(private readonly parts: DatasetParts) {
    this.folder = parts.folder;
    this.manifest = parts.manifest;
    this.catalog = parts.catalog;
  }

  /** One hash for all that decides what an instance is. */
  get hash(): string {
    return this.manifest.hash;
  }

  /** All users' whole sequences, test users' too; for audits, not for training. */
  get sequences(): SequenceStore {
    return this.parts.sequences;
  }

  /** Number of rows of a split. */
  rows(split: SplitName): number {
    return this.parts.rows[split].rows;
  }

  /** The rows of a split as ranges of targets; not to be added to. */
  rowRanges(split: SplitName): RowRanges {
    return this.parts.rows[split];
  }

  /** Sequence and target position of a row. */
  window(split: SplitName, row: number): Window {
    return this.parts.rows[split].window(row);
  }

  /**
   * One row.
   *
   * @throws IloraError `usage` if there is no such row
   */
  instance(
    split: SplitName,
    row: number,
    { draw, protocol = 'window' }: InstanceOptions = {},
  ): Instance {
    const { sequences, manifest, catalog } = this.parts;
    const { sequence, position } = this.window(split, row);
    const shownFrom = Math.max(0, position - manifest.window.maxHistory);
    const shown = Array.from(sequences.itemsOf(sequence, shownFrom, position));
    const target = sequences.itemsOf(sequence, position, position + 1)[0]!;
    const candidates =
      this.frozenCandidates(split, row, draw) ??
      this.drawCandidates(shown, target, split, row, draw);
    const first = protocol === 'window' ? shownFrom : 0;
    const history =
      first === shownFrom ? shown : Array.from(sequences.itemsOf(sequence, 0, position));
    const times = sequences.timesOf(sequence, first, position);
    return {
      split,
      row,
      user: sequences.user(sequence),
      history,
      ...(times && { times: Array.from(times) }),
      target,
      candidates,
      pool: catalog.size - new Set([...shown, target]).size,
    };
  }

  /** All rows of a split in order. */
  *instances(split: SplitName, options?: InstanceOptions): Generator<Instance> {
    for (let row = 0; row < this.rows(split); row++) yield this.instance(split, row, options);
  }

  /**
   * What a sequential recommender may learn from: each sequence up to its last train target, for
   * sequences that have train rows. A split by user gives train users' whole sequences; a split
   * inside sequences gives their early part; data published as rows gives each row as a sequence.
   * Views, not copies: do not write into them.
   */
  *sequencesOf(split: 'train'): Generator<Sequence> {
    for (const [sequence, last] of this.parts.rows[split].lastPositions())
      yield this.parts.sequences.get(sequence, last + 1);
  }

  private frozenCandidates(
    split: SplitName,
    row: number,
    draw: CandidateDraw | undefined,
  ): number[] | undefined {
    if (split === 'train' || draw !== undefined) return undefined;
    const { count } = this.parts.sampler;
    return Array.from(this.parts.candidates[split].subarray(row * count, (row + 1) * count));
  }

  private drawCandidates(
    history: readonly number[],
    target: number,
    split: SplitName,
    row: number,
    draw: CandidateDraw = { seed: this.manifest.candidates.seed, epoch: 0 },
  ): number[] {
    const random = new Random(draw.seed, `candidates/${split}/drawn`, draw.epoch, row);
    return this.parts.sampler.draw(history, target, random);
  }
}
