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
export { type DrawOdds, firstPlaceOdds, reciprocalPlaceOdds } from './candidate-odds.js';
export { CandidateSampler } from './candidates.js';
export {
  type ColdItems,
  type ColdOptions,
  type ColdRule,
  chooseColdItems,
  coldDraft,
  coldRuleOf,
} from './cold-split.js';
export { Dataset, type DatasetParts } from './dataset.js';
export { type DatasetDraft, publishedWindow, type WindowRule, wideTestRows } from './draft.js';
export {
  type BadRow,
  type ColumnMap,
  type ColumnRole,
  describeBadRow,
  type ImportOptions,
  type ImportResult,
  importInteractions,
  previewTable,
  type TablePreview,
  type TextOptions,
} from './import/index.js';
export { type RowRange, RowRanges } from './row-ranges.js';
export { SequenceStore } from './sequence-store.js';
export {
  type Movielens,
  movielensTerms,
  numpyArgsort,
  type PublishedFolderOptions,
  type PullOptions,
  type PullProgress,
  prepareMovielens100k,
  pullMovielens100k,
  readMovielens,
  readPublishedFolder,
} from './sources/index.js';
export { type Fractions, type SplitRule, splitRules, splitSequences } from './split.js';
export { evenlySpaced } from './spread.js';
export {
  type DatasetManifest,
  datasetFormat,
  openDataset,
  refuseTaken,
  type WriteDatasetOptions,
  writeDataset,
} from './store/index.js';
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
  type InstanceOptions,
  type Item,
  type Protocol,
  protocols,
  type Query,
  type RetrievalQuery,
  type Sequence,
  type SplitName,
  splitNames,
  type Window,
  type WindowsOptions,
} from './types.js';
