/**
 * An opened dataset: rows become instances on demand.
 *
 * Nothing here has a state: an instance depends on the split, the row and, for train, on the keys of
 * the candidate draw, never on what was asked for before.
 */

import { Random } from '../random/index.js';
import type { CandidateSampler } from './candidates.js';
import { evenlySpaced, type RowRanges } from './row-ranges.js';
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
  instance(
    split: SplitName,
    row: number,
    { draw, protocol = 'window' }: InstanceOptions = {},
  ): Instance {
    const candidatesOf = (shown: readonly number[], target: number) =>
      this.frozenCandidates(split, row, draw) ??
      this.drawCandidates(shown, target, `${split}/drawn`, row, draw);
    return this.instanceAt(this.window(split, row), { split, row, protocol, candidatesOf });
  }

  private instanceAt(
    { sequence, position }: Window,
    {
      split,
      row,
      protocol,
      candidatesOf,
    }: {
      split: SplitName;
      row: number;
      protocol: Protocol;
      candidatesOf: (shown: readonly number[], target: number) => number[];
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
      user: sequences.user(sequence),
      history,
      ...(times && { times: Array.from(times) }),
      target,
      candidates: candidatesOf(shown, target),
      pool: catalog.size - new Set([...shown, target]).size,
    };
  }

  /** All rows of a split in order. */
  *instances(split: SplitName, options?: InstanceOptions): Generator<Instance> {
    for (let row = 0; row < this.rows(split); row++) yield this.instance(split, row, options);
  }

  /**
   * More windows of a split's users than its rows, for methods that fit a few values on users whom training does not
   * know: up to `perUser` evenly spaced targets of each sequence, the last one always among them. Rows count through
   * them; candidates are drawn with the dataset's own seed. Targets up to the sequence's last train target are left
   * out, and so are those with fewer than the least number of history items.
   */
  *windows(
    split: 'validation',
    { perUser, protocol = 'window' }: { perUser: number; protocol?: Protocol },
  ): Generator<Instance> {
    const { rows, manifest } = this.parts;
    const train = rows.train.lastPositions();
    let count = 0;
    for (const [sequence, last] of rows[split].lastPositions()) {
      const first = Math.max(manifest.window.minHistory, (train.get(sequence) ?? -1) + 1);
      for (const position of evenlySpaced(first, last, perUser)) {
        const row = count++;
        const candidatesOf = (shown: readonly number[], target: number) =>
          this.drawCandidates(shown, target, `${split}/windows`, row);
        yield this.instanceAt({ sequence, position }, { split, row, protocol, candidatesOf });
      }
    }
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
    stream: string,
    row: number,
    draw: CandidateDraw = { seed: this.manifest.candidates.seed, epoch: 0 },
  ): number[] {
    const random = new Random(draw.seed, `candidates/${stream}`, draw.epoch, row);
    return this.parts.sampler.draw(history, target, random);
  }
}
