/**
 * Writes a dataset folder: all files into a folder beside it, then one rename, so that a stopped
 * run leaves no half dataset.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { mismatch } from '../errors/index.js';
import { CandidateSampler } from './candidates.js';
import { type DatasetDraft, wideTestRows } from './draft.js';
import { type DatasetManifest, datasetFormat, datasetHash, parseManifest } from './manifest.js';
import { Random } from './random.js';
import type { RowRanges } from './row-ranges.js';
import { tidyTitle } from './title.js';
import { type FrozenSplitName, frozenSplitNames } from './types.js';

/** Name of the random stream behind all candidates. */
export const candidateStream = 'candidates';

/** Options of {@link writeDataset}. */
export interface WriteDatasetOptions {
  /** Candidates per row, the target included. */
  candidateCount?: number;
  /** Seed of the frozen candidates. */
  seed?: number;
  /** Replace a dataset that stands there; any other folder with content is never replaced. */
  overwrite?: boolean;
}

/**
 * Writes a draft as a dataset folder, with `test-wide`, frozen candidates and manifest.
 *
 * @throws IloraError `file` if the folder is taken, `data` if the draft has no items or rows
 */
export async function writeDataset(
  folder: string,
  draft: DatasetDraft,
  options: WriteDatasetOptions = {},
): Promise<DatasetManifest> {
  const { candidateCount = 20, seed = 2024, overwrite = false } = options;
  await refuseTaken(folder, overwrite);
  checkDraft(draft, candidateCount);
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.writing-${process.pid}`;
  await rm(temporary, { recursive: true, force: true });
  try {
    const manifest = await writeFiles(temporary, draft, candidateCount, seed);
    if (existsSync(target)) {
      const old = `${target}.old-${process.pid}`;
      await rename(target, old);
      await rename(temporary, target);
      await rm(old, { recursive: true, force: true });
    } else await rename(temporary, target);
    await syncFolder(dirname(target));
    return manifest;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Throws if the folder holds anything that may not be replaced. */
export async function refuseTaken(folder: string, overwrite: boolean): Promise<void> {
  if (!existsSync(folder)) return;
  const entries = await readdir(folder).catch((error: unknown) => {
    throw mismatch('file', { where: folder, expected: 'a folder', got: error }, error);
  });
  if (entries.length === 0 || (overwrite && entries.includes('manifest.json'))) return;
  throw mismatch('file', {
    where: folder,
    expected: overwrite ? 'a dataset folder to replace' : 'a new or empty folder',
    got: `${entries.length} entries, such as ${entries[0]}`,
    hint: overwrite
      ? 'name another folder'
      : 'name another folder or ask to overwrite (--overwrite)',
  });
}

function checkDraft(draft: DatasetDraft, candidateCount: number): void {
  const { minHistory, maxHistory } = draft.window;
  if (minHistory < 1 || maxHistory < minHistory)
    throw mismatch('usage', {
      where: draft.name,
      expected: 'history lengths of at least 1, the smaller one first',
      got: `${minHistory} to ${maxHistory}`,
    });
  if (!Number.isInteger(candidateCount) || candidateCount < 2)
    throw mismatch('usage', {
      where: draft.name,
      expected: 'at least 2 candidates per row, the target included',
      got: candidateCount,
    });
  for (const [what, got] of [
    ['items', draft.items.length],
    ['train rows', draft.train.rows],
    ['test rows', draft.test.rows],
  ] as const)
    if (got === 0)
      throw mismatch('data', {
        where: draft.name,
        expected: `at least one of its ${what}`,
        got,
        hint: `a row needs ${minHistory} earlier items of its user; see the filters and the split rule`,
      });
}

async function writeFiles(
  folder: string,
  draft: DatasetDraft,
  candidateCount: number,
  seed: number,
): Promise<DatasetManifest> {
  await mkdir(join(folder, 'candidates'), { recursive: true });
  const rows = {
    train: draft.train,
    validation: draft.validation,
    test: draft.test,
    'test-wide': wideTestRows(draft),
  };
  const files: Record<string, string> = {};
  const write = async (file: string, lines: Iterable<string>): Promise<void> => {
    files[file] = await writeLines(join(folder, file), lines);
  };
  await write('items.tsv', itemLines(draft));
  await write('sequences.jsonl', sequenceLines(draft));
  for (const [split, ranges] of Object.entries(rows)) await write(`${split}.tsv`, rowLines(ranges));
  const catalog = { items: draft.items, size: draft.items.length };
  const sampler = new CandidateSampler(catalog, candidateCount);
  for (const split of frozenSplitNames)
    await write(
      `candidates/${split}.tsv`,
      candidateLines(draft, rows[split], sampler, (row) => frozenStream(seed, split, row)),
    );

  const content: Omit<DatasetManifest, 'hash'> = {
    format: datasetFormat,
    name: draft.name,
    origin: draft.origin,
    licence: draft.licence,
    citation: draft.citation,
    titles: draft.titles,
    splitRule: draft.splitRule,
    window: draft.window,
    counts: {
      items: draft.items.length,
      users: draft.sequences.size,
      interactions: draft.sequences.interactions,
      rows: {
        train: rows.train.rows,
        validation: rows.validation.rows,
        test: rows.test.rows,
        'test-wide': rows['test-wide'].rows,
      },
    },
    dropped: draft.dropped,
    notes: draft.notes,
    candidates: {
      count: candidateCount,
      seed,
      stream: candidateStream,
      rule: 'target and uniform negatives outside the history shown, no title twice, shuffled',
    },
    files: files as DatasetManifest['files'],
  };
  const text = JSON.stringify({ ...content, hash: datasetHash(content) }, null, 2);
  await writeLines(join(folder, 'manifest.json'), text.split('\n'));
  await syncFolder(folder);
  return parseManifest(text, join(folder, 'manifest.json'));
}

/** The stream that draws the frozen candidates of a row. */
function frozenStream(seed: number, split: FrozenSplitName, row: number): Random {
  return new Random(seed, `${candidateStream}/${split}`, row);
}

function* itemLines({ items }: DatasetDraft): Generator<string> {
  yield 'item_id\ttitle\tsource_title\tsource_id';
  for (const item of items)
    yield [
      item.id,
      tidyTitle(item.title),
      tidyTitle(item.sourceTitle),
      tidyTitle(item.sourceId),
    ].join('\t');
}

function* sequenceLines({ sequences }: DatasetDraft): Generator<string> {
  for (let i = 0; i < sequences.size; i++) {
    const times = sequences.timesOf(i);
    yield JSON.stringify({
      user: sequences.user(i),
      items: Array.from(sequences.itemsOf(i)),
      ...(times === undefined ? {} : { times: Array.from(times) }),
    });
  }
}

function* rowLines({ ranges }: RowRanges): Generator<string> {
  yield 'sequence\tfirst\tlast';
  for (const { sequence, first, last } of ranges) yield `${sequence}\t${first}\t${last}`;
}

function* candidateLines(
  { sequences, window }: DatasetDraft,
  rows: RowRanges,
  sampler: CandidateSampler,
  stream: (row: number) => Random,
): Generator<string> {
  for (let row = 0; row < rows.rows; row++) {
    const { sequence, position } = rows.window(row);
    const shown = sequences.itemsOf(
      sequence,
      Math.max(0, position - window.maxHistory),
      position + 1,
    );
    const candidates = sampler.draw(shown.subarray(0, -1), shown.at(-1)!, stream(row));
    yield candidates.join('\t');
  }
}

/** Writes lines, makes them durable and returns the sha256 of the file. */
async function writeLines(path: string, lines: Iterable<string>): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    let pending = '';
    const flush = async (): Promise<void> => {
      const bytes = Buffer.from(pending, 'utf8');
      hash.update(bytes);
      await file.writeFile(bytes);
      pending = '';
    };
    for (const line of lines) {
      pending += `${line}\n`;
      if (pending.length > 1 << 20) await flush();
    }
    await flush();
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().catch(() => undefined); // some file systems have no sync of folders
  await handle.close();
}
