/**
 * Opens a dataset folder: every hash, count and id is checked before anything is handed out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mismatch } from '../errors/index.js';
import { CandidateSampler } from './candidates.js';
import { Dataset } from './dataset.js';
import { type Line, readLines } from './line-reader.js';
import { type DatasetManifest, parseManifest } from './manifest.js';
import { RowRanges } from './row-ranges.js';
import { SequenceStore } from './sequence-store.js';
import { type FrozenSplitName, frozenSplitNames, type Item, splitNames } from './types.js';

/**
 * Opens and verifies a dataset folder.
 *
 * @throws IloraError `file` if it is missing, `format` naming file and line of a fault
 */
export async function openDataset(folder: string): Promise<Dataset> {
  const manifestPath = join(folder, 'manifest.json');
  const text = await readFile(manifestPath, 'utf8').catch((error: unknown) => {
    throw mismatch(
      'file',
      {
        where: folder,
        expected: 'a dataset folder with a manifest.json',
        got: (error as NodeJS.ErrnoException).code ?? error,
        hint: 'make one with "ilora data pull movielens-100k" or "ilora data import"',
      },
      error,
    );
  });
  const reader = new FolderReader(folder, parseManifest(text, manifestPath));
  return reader.read();
}

class FolderReader {
  constructor(
    private readonly folder: string,
    private readonly manifest: DatasetManifest,
  ) {}

  async read(): Promise<Dataset> {
    const { manifest, folder } = this;
    const items = await this.readItems();
    const catalog = { items, size: items.length };
    const sequences = await this.readSequences(items.length);
    const rows = {
      train: new RowRanges(),
      validation: new RowRanges(),
      test: new RowRanges(),
      'test-wide': new RowRanges(),
    };
    for (const split of splitNames) {
      rows[split] = await this.readRows(`${split}.tsv`, sequences);
      this.expectCount(`${split}.tsv`, 'rows', manifest.counts.rows[split], rows[split].rows);
    }
    const sampler = new CandidateSampler(catalog, manifest.candidates.count);
    const candidates = {} as Record<FrozenSplitName, Int32Array>;
    for (const split of frozenSplitNames)
      candidates[split] = await this.readCandidates(split, rows[split], sequences, sampler);
    return new Dataset({ folder, manifest, catalog, sequences, rows, candidates, sampler });
  }

  private async readItems(): Promise<Item[]> {
    const items: Item[] = [];
    await this.eachLine('items.tsv', 'item_id\ttitle\tsource_title\tsource_id', (text, where) => {
      const fields = text.split('\t');
      if (fields.length !== 4)
        throw mismatch('format', {
          where,
          expected: '4 fields separated by tabs',
          got: fields.length,
        });
      const [id, title, sourceTitle, sourceId] = fields as [string, string, string, string];
      if (id !== String(items.length))
        throw mismatch('format', { where, expected: `item id ${items.length}`, got: id });
      if (title === '') throw mismatch('format', { where, expected: 'a title', got: title });
      items.push({ id: items.length, title, sourceTitle, sourceId });
    });
    this.expectCount('items.tsv', 'items', this.manifest.counts.items, items.length);
    return items;
  }

  private async readSequences(size: number): Promise<SequenceStore> {
    let store: SequenceStore | undefined;
    await this.eachLine('sequences.jsonl', undefined, (text, where) => {
      const { user, items, times } = parseSequence(text, where, size);
      store ??= new SequenceStore(times !== undefined);
      if (store.hasTimes !== (times !== undefined))
        throw mismatch('format', {
          where,
          expected: store.hasTimes ? 'times, as in the lines before' : 'no times',
          got: times === undefined ? 'none' : 'times',
        });
      store.add(user, items, times);
    });
    store ??= new SequenceStore(false);
    const { users, interactions } = this.manifest.counts;
    this.expectCount('sequences.jsonl', 'sequences', users, store.size);
    this.expectCount('sequences.jsonl', 'interactions', interactions, store.interactions);
    return store;
  }

  private async readRows(file: string, sequences: SequenceStore): Promise<RowRanges> {
    const rows = new RowRanges();
    await this.eachLine(file, 'sequence\tfirst\tlast', (text, where) => {
      const numbers = text.split('\t').map(wholeNumber);
      const [sequence, first, last] = numbers as [number, number, number];
      if (numbers.length !== 3 || !(sequence < sequences.size))
        throw mismatch('format', {
          where,
          expected: `sequence in [0, ${sequences.size}), first and last, separated by tabs`,
          got: text,
        });
      const length = sequences.length(sequence);
      if (!(first >= this.manifest.window.minHistory && first <= last && last < length))
        throw mismatch('format', {
          where,
          expected: `${this.manifest.window.minHistory} ≤ first ≤ last < ${length}, the length of the sequence`,
          got: text,
        });
      rows.add({ sequence, first, last });
    });
    return rows;
  }

  private async readCandidates(
    split: FrozenSplitName,
    rows: RowRanges,
    sequences: SequenceStore,
    sampler: CandidateSampler,
  ): Promise<Int32Array> {
    const file = `candidates/${split}.tsv`;
    const all = new Int32Array(rows.rows * sampler.count);
    let row = 0;
    await this.eachLine(file, undefined, (text, where) => {
      if (row === rows.rows)
        throw mismatch('format', { where, expected: `${rows.rows} lines`, got: 'more' });
      const candidates = text.split('\t').map(wholeNumber);
      const { sequence, position } = rows.window(row);
      const first = Math.max(0, position - this.manifest.window.maxHistory);
      const shown = sequences.itemsOf(sequence, first, position + 1);
      const fault = sampler.fault(candidates, shown.subarray(0, -1), shown.at(-1)!);
      if (fault !== null)
        throw mismatch('format', { where, expected: `candidates of row ${row}`, got: fault });
      all.set(candidates, row * sampler.count);
      row++;
    });
    this.expectCount(file, 'lines', rows.rows, row);
    return all;
  }

  /** Calls back with every line and its place; checks the header line and the hash of the file. */
  private async eachLine(
    file: string,
    header: string | undefined,
    take: (text: string, where: string) => void,
  ): Promise<void> {
    const path = join(this.folder, file);
    const sha256 = this.manifest.files[file as keyof DatasetManifest['files']];
    const takeLine = ({ text, number }: Line): void => {
      const where = `${path}:${number}`;
      if (header === undefined || number > 1) take(text, where);
      else if (text !== header)
        throw mismatch('format', { where, expected: `the header ${header}`, got: text });
    };
    for await (const lines of readLines(path, { sha256 })) for (const line of lines) takeLine(line);
  }

  private expectCount(file: string, what: string, expected: number, got: number): void {
    if (expected !== got)
      throw mismatch('format', {
        where: join(this.folder, file),
        expected: `${expected} ${what}, as in manifest.json`,
        got,
      });
  }
}

/** A number without sign or exponent; NaN for anything else, which no comparison accepts. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function parseSequence(
  text: string,
  where: string,
  size: number,
): { user: string; items: number[]; times?: number[] } {
  let value: { user?: unknown; items?: unknown; times?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch (error) {
    throw mismatch('format', { where, expected: 'a JSON object', got: text }, error);
  }
  const { user, items, times } = value ?? {};
  if (typeof user !== 'string')
    throw mismatch('format', { where, expected: 'a "user" in quotes', got: user });
  if (!Array.isArray(items))
    throw mismatch('format', { where, expected: 'a list of "items"', got: items });
  for (const item of items as unknown[])
    if (!Number.isInteger(item) || (item as number) < 0 || (item as number) >= size)
      throw mismatch('format', { where, expected: `item ids in [0, ${size})`, got: item });
  if (times === undefined) return { user, items: items as number[] };
  if (!Array.isArray(times) || times.length !== items.length)
    throw mismatch('format', { where, expected: `${items.length} "times"`, got: times });
  for (let i = 0; i < times.length; i++)
    if (!Number.isFinite(times[i]) || (i > 0 && times[i] < times[i - 1]))
      throw mismatch('format', {
        where,
        expected: 'times as numbers, oldest first',
        got: times[i],
      });
  return { user, items: items as number[], times: times as number[] };
}
