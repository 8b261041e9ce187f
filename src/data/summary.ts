/**
 * What is in a dataset, in figures.
 */
import type { AttributeInfo, AttributeValue } from './attribute.js';
import type { Dataset } from './dataset.js';
import type { DatasetManifest } from './store/index.js';
import { type SplitName, splitNames } from './types.js';

/** Figures about a dataset. */
export interface DatasetSummary {
  folder: string;
  hash: string;
  manifest: DatasetManifest;
  /** Rows by number of history items shown, per split. */
  historyLengths: Record<SplitName, Record<number, number>>;
  sequenceLengths: { min: number; median: number; max: number };
  /** Items with the most interactions in what is for training. */
  popularItems: { id: number; title: string; interactions: number }[];
  /** Items that never occur in what is for training. */
  itemsNotInTrain: number;
  /** Share of train rows whose target has the time of the last history item; null without times. */
  tiedTrainTargets: number | null;
  attributes: AttributeSummary[];
}

/** What an attribute holds. */
export interface AttributeSummary extends AttributeInfo {
  /** Items that have it. */
  items: number;
  /** The same as a share of all, from 0 to 1. */
  coverage: number;
  /** Values that most items have; of lists their entries. */
  examples: (string | number)[];
}

/** Counts what is in a dataset. */
export function summarizeDataset(dataset: Dataset, popular = 10): DatasetSummary {
  const { sequences, catalog, manifest } = dataset;
  const lengths = Array.from({ length: sequences.size }, (_, i) => sequences.length(i));
  lengths.sort((a, b) => a - b);
  const counts = new Int32Array(catalog.size);
  for (const { items } of dataset.sequencesOf('train')) for (const item of items) counts[item]!++;
  const ranked = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  return {
    folder: dataset.folder,
    hash: dataset.hash,
    manifest,
    historyLengths: Object.fromEntries(
      splitNames.map((split) => [split, historyLengths(dataset, split)]),
    ) as DatasetSummary['historyLengths'],
    sequenceLengths: {
      min: lengths[0] ?? 0,
      median: lengths[lengths.length >> 1] ?? 0,
      max: lengths.at(-1) ?? 0,
    },
    popularItems: ranked.slice(0, popular).map((id) => ({
      id,
      title: catalog.items[id]!.title,
      interactions: counts[id]!,
    })),
    itemsNotInTrain: counts.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0),
    tiedTrainTargets: tiedTrainTargets(dataset),
    attributes: (manifest.attributes ?? []).map((info) => summarizeAttribute(info, dataset)),
  };
}

const MOST_EXAMPLES = 5;

function summarizeAttribute(info: AttributeInfo, { catalog }: Dataset): AttributeSummary {
  const counts = new Map<string | number, number>();
  let items = 0;
  for (const { attributes } of catalog.items) {
    if (!Object.hasOwn(attributes, info.name)) continue;
    items++;
    const value = attributes[info.name] as AttributeValue;
    for (const each of typeof value === 'object' ? value : [value])
      counts.set(each, (counts.get(each) ?? 0) + 1);
  }
  const examples = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_EXAMPLES)
    .map(([value]) => value);
  return { ...info, items, coverage: items / catalog.size, examples };
}

function historyLengths(dataset: Dataset, split: SplitName): Record<number, number> {
  const counts: Record<number, number> = {};
  for (let row = 0; row < dataset.rows(split); row++) {
    const { position } = dataset.window(split, row);
    const length = Math.min(position, dataset.manifest.window.maxHistory);
    counts[length] = (counts[length] ?? 0) + 1;
  }
  return counts;
}

function tiedTrainTargets(dataset: Dataset): number | null {
  if (!dataset.sequences.hasTimes) return null;
  let tied = 0;
  const rows = dataset.rows('train');
  for (let row = 0; row < rows; row++) {
    const { sequence, position } = dataset.window('train', row);
    const times = dataset.sequences.timesOf(sequence, position - 1, position + 1)!;
    if (times[0] === times[1]) tied++;
  }
  return rows === 0 ? 0 : tied / rows;
}
