/** What the three targets of imports share: read, look at what came out. */
import { join } from 'node:path';
import { importInteractions, previewTable, type TextOptions } from '../../src/data/index.js';
import type { Target } from './target.js';

/** Files of src/ that an import goes through. */
export const IMPORT_SOURCES: Target['sources'] = {
  'data/import/duckdb.ts': [],
  'data/import/interactions.ts': [],
  'data/import/table.ts': [],
  'data/import/check.ts': [],
  'data/import/columns.ts': [],
};

/** Reads a folder's interactions, with its items if there are any. */
export async function useImport(
  folder: string,
  files: { interactions: string; items?: string },
  text?: TextOptions,
): Promise<void> {
  const interactions = join(folder, files.interactions);
  const items = files.items === undefined ? undefined : join(folder, files.items);
  const { rows } = await previewTable(interactions, 2, text);
  if (!Array.isArray(rows)) throw new Error('no rows in the preview');
  const { draft, badRows } = await importInteractions({
    interactions,
    ...(items !== undefined && { items }),
    ...(text !== undefined && { text }),
    badRows: 'skip',
    window: { minHistory: 1, maxHistory: 3 },
  });
  for (const { where } of badRows.listed)
    if (!/:\d+$|: (row|byte) \d+$/.test(where))
      throw new Error(`a bad row without a line: ${where}`);
  for (let i = 0; i < draft.sequences.size; i++)
    for (const item of draft.sequences.get(i).items)
      if (draft.items[item] === undefined) throw new Error(`no item ${item}`);
}
