/**
 * An opened dataset: rows become instances on demand.
 *
 * Nothing here has a state: an instance depends on the split, the row and, for train, on the keys of
 * the candidate draw, never on what was asked for before.
 */

import { Random } from '../random/index.js';
import type { CandidateSampler } from './candidates.js';
import { coldRuleOf } from './cold-split.js';
import type { RowRanges } from './row-ranges.js';
import type { SequenceStore } from './sequence-store.js';
import { evenlySpaced } from './spread.js';
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
  WindowsOptions,
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
    const window = this.window(split, row);
    return this.instanceAt(window, { split, row, protocol }, (shown, target) =>
      split === 'train' || draw !== undefined
        ? this.drawCandidates(shown, target, split, row, draw)
        : this.frozenCandidates(split, row),
    );
  }

  /**
   * Several windows of every user of a split, for choices that need more rows than it has.
   *
   * Targets are all that training has not seen: at the positions from `minHistory` on, past those of earlier splits,
   * up to the user's last row. Where each held-out row is a sequence of its own, only its last item is a target:
   * the others are no such rows. Windows that are rows of the split have its frozen candidates; those of others are
   * drawn, always the same ones.
   */
  *windows(
    split: 'validation' | 'test',
    { perUser = Number.POSITIVE_INFINITY, protocol = 'window' }: WindowsOptions = {},
  ): Generator<Instance> {
    const { rows, manifest } = this.parts;
    const earlier = split === 'test' ? [rows.train, rows.validation] : [rows.train];
    const seen = earlier.map((ranges) => ranges.lastPositions());
    const areRows = hasRowsAsSequences(manifest.splitRule);
    const rowOf = rows[split].rowsByWindow();
    let firstRow = 0;
    for (const [sequence, last] of rows[split].lastPositions()) {
      const begun = Math.max(...seen.map((positions) => positions.get(sequence) ?? -1)) + 1;
      const first = areRows ? last : Math.min(last, Math.max(manifest.window.minHistory, begun));
      for (const place of evenlySpaced(last - first + 1, perUser)) {
        const window = { sequence, position: first + place };
        const row = firstRow + place;
        const frozen = rowOf(window);
        yield this.instanceAt(window, { split, row, protocol }, (shown, target) =>
          frozen === undefined
            ? this.drawCandidates(shown, target, `${split}/windows`, row)
            : this.frozenCandidates(split, frozen),
        );
      }
      firstRow += last - first + 1;
    }
  }

  private instanceAt(
    { sequence, position }: Window,
    { protocol, ...place }: Pick<Instance, 'split' | 'row'> & { protocol: Protocol },
    candidatesOf: (shown: readonly number[], target: number) => number[],
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
      ...place,
      protocol,
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
   * What a sequential recommender may learn from: each sequence up to its last train target, for
   * sequences that have train rows. A split by user gives train users' whole sequences; a split
   * inside sequences gives their early part; data published as rows gives each row as a sequence.
   * Views, not copies: do not write into them.
   */
  *sequencesOf(split: 'train'): Generator<Sequence> {
    for (const [sequence, last] of this.parts.rows[split].lastPositions())
      yield this.parts.sequences.get(sequence, last + 1);
  }

  private frozenCandidates(split: FrozenSplitName, row: number): number[] {
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
    const random = new Random(draw.seed, `candidates/${stream}/drawn`, draw.epoch, row);
    return this.parts.sampler.draw(history, target, random);
  }
}

/** Whether each held-out row is a sequence of its own: in data published as rows, and in a cold split. */
function hasRowsAsSequences(splitRule: { rule: string }): boolean {
  return splitRule.rule === 'as-published' || coldRuleOf(splitRule) !== undefined;
}
