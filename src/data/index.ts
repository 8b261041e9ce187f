/**
 * Here: items, sequences, splits, queries; import/, store/ and sources/ make and keep them.
 * May use: files, random and below.
 * Used by: recommenders and above.
 */
export {
  type AttributeInfo,
  type Attributes,
  type AttributeType,
  type AttributeValue,
  MAX_ATTRIBUTES,
  MAX_ENTRIES,
  MAX_ENTRY_CHARACTERS,
  MAX_TEXT_CHARACTERS,
  NO_ATTRIBUTES,
} from './attribute.js';
export { CandidateSampler } from './candidates.js';
export { Dataset, type DatasetParts } from './dataset.js';
export { type DatasetDraft, publishedWindow, type WindowRule, wideTestRows } from './draft.js';
export { describeBadRow } from './import/check.js';
export type { ColumnMap, ColumnRole } from './import/columns.js';
export { importInteractions } from './import/interactions.js';
export type { ImportOptions, ImportResult } from './import/options.js';
export { previewTable, type TablePreview } from './import/preview.js';
export type { BadRow } from './import/table.js';
export type { TextOptions } from './import/text-layout.js';
export { type RowRange, RowRanges } from './row-ranges.js';
export { SequenceStore } from './sequence-store.js';
export { type Movielens, movielensTerms, prepareMovielens100k } from './sources/movielens.js';
export {
  type PullOptions,
  type PullProgress,
  pullMovielens100k,
} from './sources/movielens-pull.js';
export { readMovielens } from './sources/movielens-reader.js';
export { numpyArgsort } from './sources/numpy-argsort.js';
export { type PublishedFolderOptions, readPublishedFolder } from './sources/published-folder.js';
export { type Fractions, type SplitRule, splitRules, splitSequences } from './split.js';
export { type DatasetManifest, datasetFormat } from './store/manifest.js';
export { openDataset } from './store/reader.js';
export { refuseTaken, type WriteDatasetOptions, writeDataset } from './store/writer.js';
export { type DatasetSummary, summarizeDataset } from './summary.js';
export { cleanTitle, type TitleStyle, tidyTitle, titleKey } from './title.js';
export { type TitleMatch, TitleSearch } from './title-search.js';
export {
  type CandidateDraw,
  type CandidateQuery,
  type Catalog,
  type DataProgress,
  type FrozenSplitName,
  frozenSplitNames,
  type Instance,
  type Item,
  type Query,
  type RetrievalQuery,
  type Sequence,
  type SplitName,
  splitNames,
  type Window,
} from './types.js';
