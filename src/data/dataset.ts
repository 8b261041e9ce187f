/**
 * An opened dataset: rows become instances on demand.
 *
 * Nothing here has a state: an instance depends on the split, the row and, for train, on the keys of
 * the candidate draw, never on what was asked for before.
 */

import { Random } from '../random/index.js';
import type { CandidateSampler } from './candidates.js';
import { evenPositions, type RowRanges } from './row-ranges.js';
import type { SequenceStore } from './sequence-store.js';
import type { DatasetManifest } from './store/index.js';
import type {
  CandidateDraw,
  Catalog,
  FrozenSplitName,
  Instance,
  InstanceOptions,
  Protocol,
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

  /** Sequence and target position of a row. */
  window(split: SplitName, row: number): Window {
    return this.parts.rows[split].window(row);
  }

  /**
   * One row.
   *
   * @throws IloraError `usage` if there is no such row
   */
  instance(split: SplitName, row: number, { draw, protocol }: InstanceOptions = {}): Instance {
    return this.instanceAt(this.window(split, row), {
      ...{ split, row },
      candidates: (shown, target) =>
        this.frozenCandidates(split, row, draw) ??
        this.drawCandidates(shown, target, split, row, draw),
      ...(protocol && { protocol }),
    });
  }

  /** All rows of a split in order. */
  *instances(split: SplitName, options?: InstanceOptions): Generator<Instance> {
    for (let row = 0; row < this.rows(split); row++) yield this.instance(split, row, options);
  }

  /**
   * Several windows of every validation user, for choices that one row per user is too noisy for: evenly spaced over
   * the positions behind the user's train rows, the last validation row's always. Rows are numbered through; users
   * stand in the order of the split. Candidates are drawn by the dataset's own seed, a window's always alike: they
   * are not the frozen ones.
   *
   * @param perUser windows of a user at most; fewer where the sequence is short
   */
  windows(
    split: 'validation',
    { perUser, protocol }: { perUser: number; protocol?: Protocol },
  ): Instance[] {
    const { rows, manifest } = this.parts;
    const learned = rows.train.lastPositions();
    const windows = [...rows[split].lastPositions()].flatMap(([sequence, last]) => {
      const first = Math.max(manifest.window.minHistory, (learned.get(sequence) ?? -1) + 1);
      return evenPositions({ first, last }, perUser).map((position) => ({ sequence, position }));
    });
    const { seed } = manifest.candidates;
    return windows.map((window, row) => {
      const { sequence, position } = window;
      const random = new Random(seed, `candidates/${split}/windows`, sequence, position);
      return this.instanceAt(window, {
        ...{ split, row },
        candidates: (shown, target) => this.parts.sampler.draw(shown, target, random),
        ...(protocol && { protocol }),
      });
    });
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

  /** A window as an instance. */
  private instanceAt(
    { sequence, position }: Window,
    {
      split,
      row,
      protocol = 'window',
      candidates,
    }: {
      split: SplitName;
      row: number;
      protocol?: Protocol;
      /** Candidates of a target after the items that a window shows. */
      candidates: (shown: readonly number[], target: number) => number[];
    },
  ): Instance {
    const { sequences, manifest, catalog } = this.parts;
    const shownFrom = Math.max(0, position - manifest.window.maxHistory);
    const shown = Array.from(sequences.itemsOf(sequence, shownFrom, position));
    const target = sequences.itemsOf(sequence, position, position + 1)[0]!;
    const first = protocol === 'window' ? shownFrom : 0;
    const history =
      first === shownFrom ? shown : Array.from(sequences.itemsOf(sequence, 0, position));
    const times = sequences.timesOf(sequence, first, position);
    return {
      split,
      row,
      protocol,
      user: sequences.user(sequence),
      history,
      ...(times && { times: Array.from(times) }),
      target,
      candidates: candidates(shown, target),
      pool: catalog.size - new Set([...shown, target]).size,
    };
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
