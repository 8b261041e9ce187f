/**
 * Opens a dataset folder: every hash, count and id is checked before anything is handed out.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IloraError, mismatch } from '../../errors/index.js';
import { isObject, parseStrictJson, readText } from '../../files/index.js';
import { type Attributes, attributeFault, NO_ATTRIBUTES } from '../attribute.js';
import { CandidateSampler } from '../candidates.js';
import { Dataset } from '../dataset.js';
import { RowRanges } from '../row-ranges.js';
import { SequenceStore } from '../sequence-store.js';
import { type FrozenSplitName, frozenSplitNames, type Item, splitNames } from '../types.js';
import { NumberList, readNumbers } from './digits.js';
import { type Line, readLines } from './line-reader.js';
import { attributesFile, type DatasetManifest, parseManifest } from './manifest.js';
import { SequenceLineReader } from './sequence-line.js';

/**
 * Opens and verifies a dataset folder.
 *
 * @param acceptFaultyCandidates  take lists of candidates as they stand, if only their length and ids
 *   are right: for audits, which count the faults; not for training or evaluation
 * @throws IloraError `file` if it is missing, `format` naming file and line of a fault
 */
export async function openDataset(
  folder: string,
  { acceptFaultyCandidates = false }: { acceptFaultyCandidates?: boolean } = {},
): Promise<Dataset> {
  const manifestPath = join(folder, 'manifest.json');
  let text: string;
  try {
    text = readText(manifestPath);
  } catch (error) {
    if (!(error instanceof IloraError) || error.code !== 'file') throw error;
    throw mismatch(
      'file',
      {
        where: folder,
        expected: 'a dataset folder with a manifest.json',
        got: error.details.got,
        hint: 'make one with "ilora data pull movielens-100k" or "ilora data import"',
      },
      error,
    );
  }
  const manifest = parseManifest(text, manifestPath);
  const reader = new FolderReader(folder, manifest, acceptFaultyCandidates);
  return reader.read();
}

class FolderReader {
  private readonly numbers = new NumberList();

  constructor(
    private readonly folder: string,
    private readonly manifest: DatasetManifest,
    private readonly acceptFaultyCandidates: boolean,
  ) {}

  async read(): Promise<Dataset> {
    const { manifest, folder } = this;
    const items = await this.readItems();
    await this.readAttributes(items);
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
    if (manifest.candidates.count > catalog.size)
      throw mismatch('format', {
        where: `${join(folder, 'manifest.json')}: candidates.count`,
        expected: `at most the ${catalog.size} items`,
        got: manifest.candidates.count,
      });
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
      const attributes = NO_ATTRIBUTES;
      items.push({ id: items.length, title, sourceTitle, sourceId, attributes });
    });
    this.expectCount('items.tsv', 'items', this.manifest.counts.items, items.length);
    return items;
  }

  /** Gives the items what `attributes.jsonl` says of them, if there is one. */
  private async readAttributes(items: readonly Item[]): Promise<void> {
    const { attributes: infos } = this.manifest;
    if (infos === undefined) return;
    const types = new Map(infos.map(({ name, type }) => [name, type]));
    let id = 0;
    await this.eachLine(attributesFile, undefined, (text, where) => {
      const item = items[id++];
      if (item === undefined)
        throw mismatch('format', { where, expected: `${items.length} lines`, got: 'more' });
      const attributes = parseStrictJson(text, where);
      if (!isObject(attributes))
        throw mismatch('format', { where, expected: 'a JSON object', got: text });
      for (const [name, value] of Object.entries(attributes)) {
        const type = types.get(name);
        const expected =
          type === undefined ? 'an attribute of manifest.json' : attributeFault(type, value);
        if (expected === undefined) continue;
        const got = type === undefined ? name : value;
        throw mismatch('format', { where: `${where}: ${name}`, expected, got });
      }
      item.attributes = attributes as Attributes;
    });
    this.expectCount(attributesFile, 'lines', items.length, id);
  }

  private async readSequences(size: number): Promise<SequenceStore> {
    const { users, interactions } = this.manifest.counts;
    let store: SequenceStore | undefined;
    const reader = new SequenceLineReader(size);
    // Room for all at once, as far as the file can hold what the manifest says.
    const { size: bytes } = await stat(join(this.folder, 'sequences.jsonl')).catch(() => ({
      size: 0,
    }));
    const capacity = Math.min(interactions, Math.ceil(bytes / 2));
    await this.eachLine('sequences.jsonl', undefined, (text, where) => {
      const { user, items, times } = reader.read(text, where);
      store ??= new SequenceStore(times !== undefined, capacity);
      if (store.hasTimes !== (times !== undefined))
        throw mismatch('format', {
          where,
          expected: store.hasTimes ? 'times, as in the lines before' : 'no times',
          got: times === undefined ? 'none' : 'times',
        });
      store.add(user, items, times);
    });
    store ??= new SequenceStore(false);
    this.expectCount('sequences.jsonl', 'sequences', users, store.size);
    this.expectCount('sequences.jsonl', 'interactions', interactions, store.interactions);
    return store;
  }

  private async readRows(file: string, sequences: SequenceStore): Promise<RowRanges> {
    const rows = new RowRanges();
    await this.eachLine(file, 'sequence\tfirst\tlast', (text, where) => {
      const numbers = this.numbersOf(text);
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
      const candidates = this.numbersOf(text);
      const { sequence, position } = rows.window(row);
      const first = Math.max(0, position - this.manifest.window.maxHistory);
      const shown = sequences.itemsOf(sequence, first, position + 1);
      const fault = sampler.fault(candidates, shown.subarray(0, -1), shown.at(-1)!);
      const isReadable =
        candidates.length === sampler.count &&
        candidates.every((item) => item < this.manifest.counts.items);
      if (fault !== null && !(this.acceptFaultyCandidates && isReadable))
        throw mismatch('format', { where, expected: `candidates of row ${row}`, got: fault });
      all.set(candidates, row * sampler.count);
      row++;
    });
    this.expectCount(file, 'lines', rows.rows, row);
    return all;
  }

  /** Numbers of a line, separated by tabs; NaN for a field that is none. */
  private numbersOf(text: string): number[] {
    const end = readNumbers(text, 0, '\t', this.numbers);
    return end === text.length ? this.numbers.toArray() : text.split('\t').map(wholeNumber);
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
