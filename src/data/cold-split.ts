/**
 * A split whose held-out targets are items that training never saw, made from another dataset.
 *
 * A seeded share of the items that occur in train is cold: half of them for validation, half for test, so that a
 * choice made on validation says nothing about the items of test. Train sequences lose all cold items. A held-out row
 * is a target of the parent's held-out users that is cold for its split, after the warm items that its user had
 * before. Since rows of one user would otherwise see each other's targets, each row is a sequence of its own; its user
 * stays the user, so that statistics cluster by user.
 *
 * An item whose title another item has is never cold: its title would not be new.
 */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { AbortError, mismatch } from '../errors/index.js';
import { Random } from '../random/index.js';
import type { Dataset } from './dataset.js';
import type { DatasetDraft } from './draft.js';
import { type RowRange, RowRanges } from './row-ranges.js';
import { SequenceStore } from './sequence-store.js';
import { titleKey } from './title.js';
import type { Catalog } from './types.js';

/** Which items are cold. */
export interface ColdOptions {
  /** Cold items as a share of those that occur in train, above 0 and at most 0.5; 0.1 unless said. */
  share?: number;
  /** Seed of the draw; 1 unless said. A larger share with the same seed keeps the items of a smaller one. */
  seed?: number;
}

/** Item ids by the split whose targets they are, ascending. */
export interface ColdItems {
  validation: number[];
  test: number[];
}

const MAX_SHARE = 0.5;

const coldRule = z.object({
  rule: z.literal('cold-items'),
  share: z.number(),
  seed: z.int(),
  /** Numbers of cold items. */
  items: z.object({ validation: z.int(), test: z.int() }),
  /** Numbers of users with rows. */
  users: z.object({ train: z.int(), validation: z.int(), test: z.int() }),
  /** What it was made from. */
  parent: z.object({
    name: z.string(),
    hash: z.string(),
    splitRule: z.looseObject({ rule: z.string() }),
  }),
});

/** What a manifest says of a split by cold items. */
export type ColdRule = z.infer<typeof coldRule>;

/** The rule of a split by cold items; undefined for another split. */
export function coldRuleOf(splitRule: { rule: string }): ColdRule | undefined {
  return coldRule.safeParse(splitRule).data;
}

/**
 * Draws the cold items of a dataset; the same for the same dataset, share and seed.
 *
 * @throws IloraError `usage` for a share out of range or a split that has cold items already, `data` if train has no
 *   sequences or too few items
 */
export function chooseColdItems(
  dataset: Dataset,
  { share = 0.1, seed = 1 }: ColdOptions = {},
): ColdItems {
  if (!(share > 0 && share <= MAX_SHARE))
    throw mismatch('usage', {
      where: 'cold items: share',
      expected: `a number above 0 and at most ${MAX_SHARE}`,
      got: share,
    });
  const { manifest, catalog, folder } = dataset;
  if (manifest.splitRule.rule === 'cold-items')
    throw mismatch('usage', {
      where: folder,
      expected: 'a dataset with another split than by cold items',
      got: manifest.splitRule.rule,
      hint: 'make it from the parent, with another share or seed',
    });
  const occurs = new Uint8Array(catalog.size);
  for (const { items } of dataset.sequencesOf('train')) for (const item of items) occurs[item] = 1;
  const inTrain = occurs.reduce((sum, one) => sum + one, 0);
  if (inTrain === 0) throw mismatch('data', { where: folder, expected: 'train sequences', got: 0 });
  const count = Math.round(share * inTrain);
  const eligible = itemsWithOwnTitle(catalog).filter((item) => occurs[item] === 1);
  if (count < 2 || eligible.length < count)
    throw mismatch('data', {
      where: folder,
      expected: `at least ${Math.max(2, count)} of the ${inTrain} items in train to be cold, each with a title of its own`,
      got: Math.min(count, eligible.length),
      hint: `ask for a ${count < 2 ? 'larger' : 'smaller'} share than ${share}`,
    });
  const drawn = new Random(seed, 'cold-items').shuffle(eligible).slice(0, count);
  const ofParity = (parity: number): number[] =>
    drawn.filter((_, i) => i % 2 === parity).sort((a, b) => a - b);
  return { test: ofParity(0), validation: ofParity(1) };
}

function itemsWithOwnTitle({ items }: Catalog): number[] {
  const counts = new Map<string, number>();
  for (const { title } of items) {
    const key = titleKey(title);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return items.filter(({ title }) => counts.get(titleKey(title)) === 1).map(({ id }) => id);
}

/**
 * A dataset with the same items and users whose held-out targets are cold; to be written by `writeDataset`.
 *
 * @throws IloraError as {@link chooseColdItems}; `data` if validation or test has no row left; `aborted`
 */
export async function coldDraft(
  dataset: Dataset,
  { signal, ...options }: ColdOptions & { signal?: AbortSignal | undefined } = {},
): Promise<DatasetDraft> {
  const { share = 0.1, seed = 1 } = options;
  const cold = chooseColdItems(dataset, options);
  const split = await new ColdSplit(dataset, cold, signal).split();
  const { manifest, catalog } = dataset;
  const rule: ColdRule = {
    rule: 'cold-items',
    share,
    seed,
    items: { validation: cold.validation.length, test: cold.test.length },
    users: split.users,
    parent: { name: manifest.name, hash: manifest.hash, splitRule: manifest.splitRule },
  };
  return {
    name: `${manifest.name}-cold`,
    origin: `cold items of ${manifest.name} (hash ${manifest.hash}): ${manifest.origin}`,
    licence: manifest.licence,
    citation: manifest.citation,
    titles: manifest.titles,
    splitRule: rule,
    window: manifest.window,
    items: catalog.items,
    ...(manifest.attributes && { attributes: manifest.attributes }),
    sequences: split.sequences,
    ...split.rows,
    dropped: { ...manifest.dropped, ...split.dropped },
    notes: [
      'No target of validation and test occurs in train: methods that know items by id alone cannot learn them.',
      'Each held-out row is a sequence of its own, with the items of its user that occur in train; test has the last row of each user, test-wide all.',
      ...manifest.notes.map((note) => `Of ${manifest.name}: ${note}`),
    ],
  };
}

/** Sequences after which others get a turn. */
const perTurn = 4096;

class ColdSplit {
  private readonly sequences: SequenceStore;
  private readonly rows = {
    train: new RowRanges(),
    validation: new RowRanges(),
    test: new RowRanges(),
    testWide: new RowRanges(),
  };
  private readonly dropped = {
    trainInteractionsOfColdItems: 0,
    trainSequencesTooShort: 0,
    coldTargetsWithShortHistory: 0,
  };
  private readonly users = { train: 0, validation: 0, test: 0 };
  /** 1 where an item occurs in the new train. */
  private readonly isWarm: Uint8Array;
  private done = 0;

  constructor(
    private readonly parent: Dataset,
    private readonly cold: ColdItems,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.sequences = new SequenceStore(parent.sequences.hasTimes);
    this.isWarm = new Uint8Array(parent.catalog.size);
  }

  async split() {
    await this.addTrain();
    for (const name of ['validation', 'test'] as const) await this.addHeldOut(name);
    const { validation, testWide } = this.rows;
    if (validation.rows === 0 || testWide.rows === 0)
      throw mismatch('data', {
        where: this.parent.folder,
        expected: `rows of validation and test with a cold target after ${this.minHistory} warm items`,
        got: [validation.rows, testWide.rows],
        hint: 'ask for a larger share, or another seed',
      });
    const { sequences, rows, dropped, users } = this;
    return { sequences, rows, dropped, users };
  }

  private get minHistory(): number {
    return this.parent.manifest.window.minHistory;
  }

  /** Train sequences without cold items, and the train rows that are left of them. */
  private async addTrain(): Promise<void> {
    const isCold = new Uint8Array(this.parent.catalog.size);
    for (const item of [...this.cold.validation, ...this.cold.test]) isCold[item] = 1;
    for (const [sequence, ranges] of bySequence(this.parent.rowRanges('train'))) {
      const end = Math.max(...ranges.map(({ last }) => last)) + 1;
      const kept: number[] = [];
      /** Number of items kept before each position. */
      const placeOf = [0];
      for (const [position, item] of this.parent.sequences.itemsOf(sequence, 0, end).entries()) {
        if (isCold[item] === 0) kept.push(position);
        placeOf.push(kept.length);
      }
      this.dropped.trainInteractionsOfColdItems += end - kept.length;
      const left = ranges.map(({ first, last }) => ({
        sequence: this.sequences.size,
        first: Math.max(this.minHistory, placeOf[first] as number),
        last: (placeOf[last + 1] as number) - 1,
      }));
      const newEnd = Math.max(0, ...left.filter(hasRows).map(({ last }) => last + 1));
      if (newEnd === 0) this.dropped.trainSequencesTooShort++;
      else {
        for (const range of left) this.rows.train.add(range);
        for (const item of this.add(sequence, kept.slice(0, newEnd))) this.isWarm[item] = 1;
        this.users.train++;
      }
      await this.turn();
    }
  }

  /** A sequence for each cold target of a split: the warm items before it, then the target. */
  private async addHeldOut(name: 'validation' | 'test'): Promise<void> {
    const isTarget = new Uint8Array(this.parent.catalog.size);
    for (const item of this.cold[name]) isTarget[item] = 1;
    const all = this.rows[name === 'test' ? 'testWide' : name];
    for (const { sequence, first, last } of heldOutTargets(this.parent, name)) {
      const warm: number[] = [];
      let row: RowRange | undefined;
      for (const [at, item] of this.parent.sequences.itemsOf(sequence, 0, last + 1).entries()) {
        if (at >= first && isTarget[item] === 1) {
          if (warm.length >= this.minHistory) {
            row = { sequence: this.sequences.size, first: warm.length, last: warm.length };
            this.add(sequence, [...warm, at]);
            all.add(row);
          } else this.dropped.coldTargetsWithShortHistory++;
        }
        if (this.isWarm[item] === 1) warm.push(at);
      }
      if (row !== undefined) {
        this.users[name]++;
        if (name === 'test') this.rows.test.add(row);
      }
      await this.turn();
    }
  }

  /** Adds a sequence of some positions of the parent's, and returns its items. */
  private add(sequence: number, positions: readonly number[]): number[] {
    const { sequences } = this.parent;
    const own = sequences.itemsOf(sequence);
    const times = sequences.timesOf(sequence);
    const items = positions.map((position) => own[position] as number);
    this.sequences.add(
      sequences.user(sequence),
      items,
      times && positions.map((position) => times[position] as number),
    );
    return items;
  }

  /** Lets a Ctrl-C in now and then. */
  private async turn(): Promise<void> {
    if (++this.done % perTurn === 0) await setImmediate();
    if (this.signal?.aborted) throw new AbortError();
  }
}

function bySequence(rows: RowRanges): Map<number, RowRange[]> {
  const grouped = new Map<number, RowRange[]>();
  for (const range of rows.ranges) {
    const own = grouped.get(range.sequence);
    if (own === undefined) grouped.set(range.sequence, [range]);
    else own.push(range);
  }
  return grouped;
}

const hasRows = ({ first, last }: RowRange): boolean => last >= first;

/**
 * Target positions that a split may hold out: up to a sequence's last row of it, after its rows of the splits before.
 * Published rows overlap where they are of one user; of them only the rows themselves count.
 */
function heldOutTargets(dataset: Dataset, split: 'validation' | 'test'): RowRange[] {
  const rows = dataset.rowRanges(split);
  if (dataset.manifest.splitRule.rule === 'as-published') return rows.ranges;
  const earlier = (
    split === 'test' ? (['train', 'validation'] as const) : (['train'] as const)
  ).map((name) => dataset.rowRanges(name).lastPositions());
  return Array.from(rows.lastPositions(), ([sequence, last]) => ({
    sequence,
    first: Math.max(0, ...earlier.map((positions) => (positions.get(sequence) ?? -1) + 1)),
    last,
  })).filter(hasRows);
}
