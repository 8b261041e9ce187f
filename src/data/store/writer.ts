/**
 * Writes a dataset folder: all files into a folder beside it, then one rename, so that a stopped
 * run leaves no half dataset.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { AbortError, mismatch } from '../../errors/index.js';
import { findAbandoned, removeAbandoned, replaceFolder, syncFolder } from '../../files/index.js';
import { Random } from '../../random/index.js';
import { CandidateSampler } from '../candidates.js';
import { type DatasetDraft, wideTestRows } from '../draft.js';
import type { RowRanges } from '../row-ranges.js';
import { tidyTitle } from '../title.js';
import { type DataProgress, type FrozenSplitName, frozenSplitNames } from '../types.js';
import {
  attributesFile,
  type DatasetManifest,
  datasetFormat,
  datasetHash,
  manifestText,
  parseManifest,
} from './manifest.js';
import { type TextBuffer, writeTextFile } from './text-file.js';

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
  onProgress?: ((progress: DataProgress) => void) | undefined;
  /** Ends the work; nothing is left behind. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes a draft as a dataset folder, with `test-wide`, frozen candidates and manifest.
 *
 * @throws IloraError `file` if the folder is taken, `data` if the draft has no items or rows, `aborted`
 */
export async function writeDataset(
  folder: string,
  draft: DatasetDraft,
  options: WriteDatasetOptions = {},
): Promise<DatasetManifest> {
  const { candidateCount = 20, seed = 2024, overwrite = false } = options;
  const target = resolve(folder);
  await refuseTaken(folder, overwrite);
  checkDraft(draft, candidateCount);
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.writing-${process.pid}`;
  await rm(temporary, { recursive: true, force: true });
  try {
    const writer = new FolderWriter(temporary, draft, { ...options, candidateCount, seed });
    const manifest = await writer.write();
    await replaceFolder(target, temporary, `${target}.old-${process.pid}`);
    return manifest;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Clears away what a killed process left beside the folder, and puts back the dataset it was about to
 * replace if it was killed between the two renames.
 */
async function recover(target: string): Promise<void> {
  const name = basename(target).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const old = new RegExp(`^${name}\\.old-(\\d+)$`);
  const [saved] = await findAbandoned(dirname(target), old);
  if (saved !== undefined && !existsSync(target))
    await rename(join(dirname(target), saved), target);
  await removeAbandoned(dirname(target), old);
  await removeAbandoned(dirname(target), new RegExp(`^${name}\\.writing-(\\d+)$`));
}

/** Throws if the folder holds anything that may not be replaced; clears away what a killed process left. */
export async function refuseTaken(folder: string, overwrite: boolean): Promise<void> {
  await recover(resolve(folder));
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
  const untitled = draft.items.find(({ title }) => tidyTitle(title) === '');
  if (untitled !== undefined)
    throw mismatch('data', {
      where: draft.name,
      expected: `a title of item ${JSON.stringify(untitled.sourceId)}`,
      got: untitled.title,
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

/** How often progress is told, in lines of a file. */
const progressEvery = 1 << 14;

/** Writes the files of one dataset. */
class FolderWriter {
  private readonly files: Record<string, string> = {};
  private readonly candidateCount: number;
  private readonly seed: number;

  constructor(
    private readonly folder: string,
    private readonly draft: DatasetDraft,
    private readonly options: WriteDatasetOptions & { candidateCount: number; seed: number },
  ) {
    this.candidateCount = options.candidateCount;
    this.seed = options.seed;
  }

  async write(): Promise<DatasetManifest> {
    const { draft, folder, files, candidateCount, seed } = this;
    await mkdir(join(folder, 'candidates'), { recursive: true });
    const rows = {
      train: draft.train,
      validation: draft.validation,
      test: draft.test,
      'test-wide': wideTestRows(draft),
    };
    await this.file('items.tsv', draft.items.length, (out) => itemLines(draft, out));
    const { attributes = [] } = draft;
    if (attributes.length > 0)
      await this.file(attributesFile, draft.items.length, (out) => attributeLines(draft, out));
    await this.file('sequences.jsonl', draft.sequences.size, (out) => sequenceLines(draft, out));
    for (const [split, ranges] of Object.entries(rows))
      await this.file(`${split}.tsv`, ranges.size, (out) => rowLines(ranges, out));
    const catalog = { items: draft.items, size: draft.items.length };
    const sampler = new CandidateSampler(catalog, candidateCount);
    for (const split of frozenSplitNames)
      await this.file(`candidates/${split}.tsv`, rows[split].rows, (out) =>
        candidateLines(draft, rows[split], sampler, out, (row) => frozenStream(seed, split, row)),
      );
    const content: Omit<DatasetManifest, 'hash' | 'seal'> = {
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
      ...(attributes.length > 0 && { attributes: [...attributes] }),
      files: files as DatasetManifest['files'],
    };
    const text = manifestText({ ...content, hash: datasetHash(content) });
    await writeTextFile(join(folder, 'manifest.json'), function* (out) {
      yield void out.text(text);
    });
    syncFolder(folder);
    return parseManifest(text, join(folder, 'manifest.json'));
  }

  /** Writes one file of so many lines, and keeps its hash. */
  private async file(
    name: string,
    lines: number,
    fill: (out: TextBuffer) => Iterable<void>,
  ): Promise<void> {
    const { onProgress, signal } = this.options;
    const text = `writing ${name}`;
    if (lines > progressEvery) onProgress?.({ text, done: 0, total: lines, unit: 'lines' });
    this.files[name] = await writeTextFile(join(this.folder, name), function* (out) {
      let done = 0;
      for (const _ of fill(out)) {
        if (++done % progressEvery === 0) {
          // The writer waits for the disk now and then; that is when a Ctrl-C gets through.
          if (signal?.aborted) throw new AbortError();
          onProgress?.({ text, done, total: lines, unit: 'lines' });
        }
        yield;
      }
    });
    if (signal?.aborted) throw new AbortError();
  }
}

/** The stream that draws the frozen candidates of a row. */
function frozenStream(seed: number, split: FrozenSplitName, row: number): Random {
  return new Random(seed, `${candidateStream}/${split}`, row);
}

function* itemLines({ items }: DatasetDraft, out: TextBuffer): Generator<void> {
  yield void out.text('item_id\ttitle\tsource_title\tsource_id\n');
  for (const item of items) {
    const titles = [item.title, item.sourceTitle, item.sourceId].map(tidyTitle);
    yield void out.number(item.id).text(`\t${titles.join('\t')}\n`);
  }
}

/** One JSON object per item, its keys in the order of the manifest. */
function* attributeLines(
  { items, attributes = [] }: DatasetDraft,
  out: TextBuffer,
): Generator<void> {
  for (const item of items) {
    const own = attributes.flatMap(({ name }) =>
      Object.hasOwn(item.attributes, name) ? [[name, item.attributes[name]] as const] : [],
    );
    yield void out.text(`${JSON.stringify(Object.fromEntries(own))}\n`);
  }
}

function* sequenceLines({ sequences }: DatasetDraft, out: TextBuffer): Generator<void> {
  for (let i = 0; i < sequences.size; i++) {
    out.text(`{"user":${JSON.stringify(sequences.user(i))},"items":[`);
    out.numbers(sequences.itemsOf(i), ',');
    const times = sequences.timesOf(i);
    if (times !== undefined) out.text('],"times":[').numbers(times, ',');
    yield void out.text(']}\n');
  }
}

function* rowLines(rows: RowRanges, out: TextBuffer): Generator<void> {
  yield void out.text('sequence\tfirst\tlast\n');
  for (let i = 0; i < rows.size; i++) {
    const { sequence, first, last } = rows.range(i);
    yield void out.numbers([sequence, first, last], '\t').text('\n');
  }
}

function* candidateLines(
  { sequences, window }: DatasetDraft,
  rows: RowRanges,
  sampler: CandidateSampler,
  out: TextBuffer,
  stream: (row: number) => Random,
): Generator<void> {
  for (let row = 0; row < rows.rows; row++) {
    const { sequence, position } = rows.window(row);
    const shown = sequences.itemsOf(
      sequence,
      Math.max(0, position - window.maxHistory),
      position + 1,
    );
    const candidates = sampler.draw(shown.subarray(0, -1), shown.at(-1)!, stream(row));
    yield void out.numbers(candidates, '\t').text('\n');
  }
}
