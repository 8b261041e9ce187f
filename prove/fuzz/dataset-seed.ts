/** A dataset of the least size that has all its splits. */
import { join } from 'node:path';
import { type DatasetDraft, RowRanges, SequenceStore, writeDataset } from '../../src/data/index.js';
import { datasetFiles } from '../../src/data/store/manifest.js';
import { type Case, caseFrom } from './case.js';
import { inFolder } from './seed.js';

/** Files of a dataset folder. */
const DATASET_FILES = ['manifest.json', ...datasetFiles] as const;

/** Sixteen items, four users; with or without times. */
export function smallDraft(hasTimes: boolean): DatasetDraft {
  const sequences = new SequenceStore(hasTimes);
  for (const [i, length] of [9, 5, 6, 8].entries()) {
    const items = Array.from({ length }, (_, j) => (j * 5 + i) % 16);
    sequences.add(`u${i}`, items, hasTimes ? items.map((_, j) => 1000 + j) : undefined);
  }
  const draft: DatasetDraft = {
    name: 'small',
    origin: 'made by code',
    licence: 'none',
    citation: '',
    titles: 'raw',
    splitRule: { rule: 'by-hand' },
    window: { minHistory: 2, maxHistory: 4 },
    items: Array.from({ length: 16 }, (_, id) => ({
      id,
      title: `Title ${id}`,
      sourceTitle: `Title ${id} (1999)`,
      sourceId: String(id + 1),
      attributes: {},
    })),
    sequences,
    train: new RowRanges(),
    validation: new RowRanges(),
    test: new RowRanges(),
    dropped: { badRows: 1 },
    notes: ['a note'],
  };
  draft.train.add({ sequence: 0, first: 2, last: 8 });
  draft.train.add({ sequence: 1, first: 2, last: 4 });
  draft.validation.add({ sequence: 2, first: 5, last: 5 });
  draft.test.add({ sequence: 3, first: 7, last: 7 });
  return draft;
}

/** The folder as a case. */
export function datasetCase(hasTimes: boolean): Promise<Case> {
  return inFolder(async (folder) => {
    const path = join(folder, 'data');
    await writeDataset(path, smallDraft(hasTimes), { candidateCount: 4 });
    return caseFrom(path, DATASET_FILES);
  });
}
