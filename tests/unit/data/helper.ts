/** Small drafts and temporary folders for tests of the data layer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type DatasetDraft, RowRanges, SequenceStore } from '../../../src/data/index.js';

export const fixtures = resolve(import.meta.dirname, '../../fixtures/data');

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ilora-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** 40 items, two train users of 12 and 5 interactions, one for validation, one of 30 for test. */
export function tinyDraft(): DatasetDraft {
  const sequences = new SequenceStore(true);
  for (const [user, length] of [
    ['u1', 12],
    ['u2', 5],
    ['u3', 6],
    ['u4', 30],
  ] as const)
    sequences.add(
      user,
      Array.from({ length }, (_, i) => (i * 7 + length) % 40),
      Array.from({ length }, (_, i) => 1000 + i),
    );
  const draft: DatasetDraft = {
    name: 'tiny',
    origin: 'made for tests',
    licence: 'none',
    citation: '',
    titles: 'raw',
    splitRule: { rule: 'by-hand' },
    window: { minHistory: 3, maxHistory: 10 },
    items: Array.from({ length: 40 }, (_, id) => ({
      id,
      title: `Title ${id}`,
      sourceTitle: `Title ${id}`,
      sourceId: String(id),
      attributes: {},
    })),
    sequences,
    train: new RowRanges(),
    validation: new RowRanges(),
    test: new RowRanges(),
    dropped: {},
    notes: [],
  };
  draft.train.add({ sequence: 0, first: 3, last: 11 });
  draft.train.add({ sequence: 1, first: 3, last: 4 });
  draft.validation.add({ sequence: 2, first: 5, last: 5 });
  draft.test.add({ sequence: 3, first: 29, last: 29 });
  return draft;
}
