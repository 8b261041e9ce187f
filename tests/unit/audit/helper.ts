/**
 * Datasets in memory for the audit: clean ones by seed, and ways to plant faults.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Finding } from '../../../src/audit/index.js';
import { wideTestRows } from '../../../src/data/draft.js';
import {
  CandidateSampler,
  Dataset,
  type DatasetDraft,
  type DatasetManifest,
  type FrozenSplitName,
  frozenSplitNames,
  RowRanges,
  SequenceStore,
  type SplitRule,
  splitSequences,
} from '../../../src/data/index.js';
import { Random } from '../../../src/random/index.js';

/** The published data, where it is at hand. */
export const shared = resolve(
  process.env.ILORA_SHARED ?? resolve(import.meta.dirname, '../../../../../shared'),
  'data',
);
export const skipShared = existsSync(shared) ? false : `no published data in ${shared}`;

/** One user's interactions before they become a sequence. */
export interface User {
  name: string;
  items: number[];
  times: number[];
}

/** What a test may change before a dataset is made. */
export interface Made {
  users: User[];
  titles: string[];
  size: number;
  hasTimes: boolean;
  rule: SplitRule;
}

/** Users with random items at random times: nothing to be found in it. */
export function cleanUsers(seed: number): Made {
  const random = new Random(seed, 'test/clean');
  const size = 120 + random.int(180);
  const count = 160 + random.int(160);
  /** Share of the items that come from the user's own taste, so that histories say something. */
  const taste = random.uniform() * 0.3;
  const users = Array.from({ length: count }, (_, number): User => {
    const length = 8 + random.int(13);
    const group = random.int(6);
    const items: number[] = [];
    while (items.length < length) {
      const any = random.int(size);
      const item = random.uniform() < taste ? any - (any % 6) + group : any;
      if (item < size && !items.includes(item)) items.push(item);
    }
    const start = random.uniform() * 1e6;
    const times = items.map(() => start + random.uniform() * 3e5).sort((a, b) => a - b);
    return { name: `user ${number}`, items, times };
  });
  const words = ['River', 'Stone', 'Night', 'Green', 'Paper', 'Glass', 'Winter'];
  const titles = Array.from(
    { length: size },
    (_, item) => `${words[item % 7]} ${words[(item * 3 + 1) % 7]} ${item}`,
  );
  return { users, titles, size, hasTimes: true, rule: 'by-time' };
}

/** A draft of such users, split by their rule. */
export function draftOf({ users, titles, hasTimes, rule }: Made): DatasetDraft {
  const sequences = new SequenceStore(hasTimes);
  for (const { name, items, times } of users)
    sequences.add(name, items, hasTimes ? times : undefined);
  const window = { minHistory: 3, maxHistory: 10 };
  return {
    name: 'made',
    origin: 'made for tests',
    licence: 'none',
    citation: '',
    titles: 'raw',
    window,
    items: titles.map((title, id) => ({
      id,
      title,
      sourceTitle: title,
      sourceId: `i${id}`,
      attributes: {},
    })),
    sequences,
    ...splitSequences(sequences, { rule, window }),
    dropped: {},
    notes: [],
  };
}

/** What {@link datasetOf} may be told. */
export interface MemoryOptions {
  candidateCount?: number;
  /** Changes a row's candidates. */
  candidates?: (
    candidates: number[],
    row: number,
    split: FrozenSplitName,
    target: number,
  ) => number[];
}

/** The dataset that writing and opening a draft would give, without files and without their checks. */
export function datasetOf(
  draft: DatasetDraft,
  { candidateCount = 20, candidates = (list) => list }: MemoryOptions = {},
): Dataset {
  const catalog = { items: draft.items, size: draft.items.length };
  const sampler = new CandidateSampler(catalog, candidateCount);
  const rows = {
    train: draft.train,
    validation: draft.validation,
    test: draft.test,
    'test-wide': wideTestRows(draft),
  };
  const lists = {} as Record<FrozenSplitName, Int32Array>;
  for (const split of frozenSplitNames) {
    lists[split] = new Int32Array(rows[split].rows * candidateCount);
    for (let row = 0; row < rows[split].rows; row++) {
      const { sequence, position } = rows[split].window(row);
      const first = Math.max(0, position - draft.window.maxHistory);
      const shown = draft.sequences.itemsOf(sequence, first, position + 1);
      const target = shown.at(-1)!;
      const drawn = sampler.draw(
        shown.subarray(0, -1),
        target,
        new Random(1, `candidates/${split}`, row),
      );
      lists[split].set(candidates(drawn, row, split, target), row * candidateCount);
    }
  }
  const manifest = {
    name: draft.name,
    titles: draft.titles,
    splitRule: draft.splitRule,
    window: draft.window,
    notes: draft.notes,
    counts: {
      items: catalog.size,
      users: draft.sequences.size,
      interactions: draft.sequences.interactions,
      rows: Object.fromEntries(
        Object.entries(rows).map(([name, { rows: count }]) => [name, count]),
      ),
    },
    candidates: { count: candidateCount, seed: 1, stream: 'candidates', rule: 'in memory' },
    hash: 'in memory',
  } as unknown as DatasetManifest;
  return new Dataset({
    folder: 'memory',
    manifest,
    catalog,
    sequences: draft.sequences,
    rows,
    candidates: lists,
    sampler,
  });
}

/** A clean dataset, changed before it is split. */
export function made(seed: number, change: (made: Made) => void = () => {}): Dataset {
  const clean = cleanUsers(seed);
  change(clean);
  return datasetOf(draftOf(clean));
}

/** Ranges of rows from triples. */
export function ranges(...all: [sequence: number, first: number, last: number][]): RowRanges {
  const rows = new RowRanges();
  for (const [sequence, first, last] of all) rows.add({ sequence, first, last });
  return rows;
}

/** What is worse than info, or not known. */
export function complaints(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity, isKnown }) => severity !== 'info' || !isKnown)
    .map(({ id, severity, figure }) => `${id} ${severity}: ${figure}`);
}

/** A nested figure, as `test.tied`. */
export function figure({ figures }: Finding, path: string): unknown {
  return path
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], figures);
}
