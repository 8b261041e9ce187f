/**
 * Here: tables of interactions and items, checked and made a draft of a dataset.
 * May use: files and below, and the files beside this folder; not store/ or sources/.
 * Used by: data/index.ts.
 */
export { describeBadRow } from './check.js';
export type { ColumnMap, ColumnRole } from './columns.js';
export { importInteractions } from './interactions.js';
export type { ImportOptions, ImportResult } from './options.js';
export { previewTable, type TablePreview } from './preview.js';
export type { BadRow } from './table.js';
export type { TextOptions } from './text-layout.js';
