/** Dataset folders: manifest, items, sequences, rows, candidates. */
import { createHash } from 'node:crypto';
import { openDataset, splitNames, summarizeDataset } from '../../src/data/index.js';
import {
  type DatasetManifest,
  datasetFiles,
  datasetHash,
  manifestText,
} from '../../src/data/store/manifest.js';
import type { Case, Content } from './case.js';
import { datasetCase } from './dataset-seed.js';
import type { Target } from './target.js';

const target: Target = {
  name: 'dataset',
  sources: {
    'data/store/reader.ts': [],
    'data/store/manifest.ts': [],
    'data/store/line-reader.ts': [],
    'data/row-ranges.ts': [],
    'data/sequence-store.ts': [],
    'data/candidates.ts': [],
    'data/dataset.ts': ['instances'],
  },
  seeds: async () => [await datasetCase(true), await datasetCase(false)],
  async read(folder) {
    const dataset = await openDataset(folder);
    for (const split of splitNames) {
      if (dataset.rows(split) === 0) continue;
      const { history, target, candidates } = dataset.instance(split, dataset.rows(split) - 1);
      for (const item of [...history, target, ...candidates])
        if (dataset.catalog.items[item] === undefined) throw new Error(`no item ${item}`);
      if (!candidates.includes(target)) throw new Error('the target is no candidate');
    }
    for (const { items } of dataset.sequencesOf('train')) items.at(-1);
    summarizeDataset(dataset);
  },
  /** Hashes of the files and of the whole. */
  seal(input: Map<string, Content>) {
    const manifest = parsed(input.get('manifest.json'));
    if (manifest === undefined) return;
    try {
      for (const file of datasetFiles) {
        const content = input.get(file);
        if (typeof content === 'object')
          manifest.files[file] = createHash('sha256').update(content).digest('hex');
      }
      manifest.hash = datasetHash(manifest);
      const { seal: _, ...rest } = manifest;
      input.set('manifest.json', Buffer.from(manifestText(rest)));
    } catch {
      // A manifest without the parts that are hashed stays as it is.
    }
  },
  async heavy() {
    const seed = await datasetCase(true);
    const change = (
      edit: (files: Map<string, Content>, manifest: DatasetManifest) => void,
    ): Case => {
      const files = new Map(seed);
      const manifest = parsed(files.get('manifest.json')) as DatasetManifest;
      edit(files, manifest);
      files.set('manifest.json', Buffer.from(JSON.stringify(manifest)));
      target.seal?.(files);
      return files;
    };
    return {
      'promises 2^40 candidates per row': change((_, { candidates }) => {
        candidates.count = 2 ** 40;
      }),
      'promises 2^29 candidates per row': change((_, { candidates }) => {
        candidates.count = 2 ** 29;
      }),
      'a line of four million characters': change((files) => {
        files.set(
          'sequences.jsonl',
          Buffer.from(`{"user":"${'u'.repeat(1 << 22)}","items":[1]}\n`),
        );
      }),
      'one million nested lists': change((files) => {
        const lists = `${'['.repeat(1 << 20)}${']'.repeat(1 << 20)}`;
        files.set('sequences.jsonl', Buffer.from(`{"user":"u","items":${lists}}\n`));
      }),
      'one million empty lines': change((files) => {
        files.set('train.tsv', Buffer.from(`sequence\tfirst\tlast\n${'\n'.repeat(1 << 20)}`));
      }),
      '100,000 items': change((files, { counts }) => {
        counts.items = 100_000;
        const lines = Array.from({ length: 100_000 }, (_, id) => `${id}\tT${id}\tT\t1\n`);
        files.set(
          'items.tsv',
          Buffer.from(`item_id\ttitle\tsource_title\tsource_id\n${lines.join('')}`),
        );
      }),
    };
  },
};
export default target;

function parsed(content: Content | undefined): DatasetManifest | undefined {
  if (typeof content !== 'object') return undefined;
  try {
    const value = JSON.parse(content.toString()) as DatasetManifest | null;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
