/**
 * Datasets in words and tables, for people.
 */
import stringWidth from 'string-width';
import {
  type ColumnMap,
  coldRuleOf,
  type DatasetManifest,
  type DatasetSummary,
  splitNames,
} from '../data/index.js';
import { visible } from '../errors/index.js';

/** What a dataset is and where it comes from. */
export function describeManifest(folder: string, manifest: DatasetManifest): string[] {
  const { counts, dropped, splitRule } = manifest;
  const whose = coldRuleOf(splitRule) === undefined ? 'users    ' : 'sequences';
  return [
    `${manifest.name} in ${folder}`,
    `  origin    ${manifest.origin}`,
    `  licence   ${manifest.licence}`,
    ...(manifest.citation === '' ? [] : [`  cite      ${manifest.citation}`]),
    `  items     ${thousands(counts.items)} (titles: ${manifest.titles})`,
    `  ${whose} ${thousands(counts.users)} with ${thousands(counts.interactions)} interactions`,
    ...describeSplit(splitRule),
    `  rows      ${splitNames.map((split) => `${split} ${thousands(counts.rows[split])}`).join(', ')}`,
    `  history   ${manifest.window.minHistory} to ${manifest.window.maxHistory} items; ${manifest.candidates.count} candidates, seed ${manifest.candidates.seed}`,
    ...Object.entries(dropped)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `  left out  ${thousands(count)} ${inWords(reason)}`),
    ...manifest.notes.map((text) => `  note      ${text}`),
    `  hash      ${manifest.hash}`,
  ];
}

/** How rows were held out. */
function describeSplit(splitRule: DatasetManifest['splitRule']): string[] {
  const cold = coldRuleOf(splitRule);
  if (cold === undefined) {
    const { rule, ...parameters } = splitRule;
    return [`  split     ${rule} ${JSON.stringify(parameters)}`];
  }
  const { items, users, share, seed, parent } = cold;
  const count = thousands(items.validation + items.test);
  return [
    `  split     ${cold.rule}: ${count} items are taken out of train; ${thousands(items.validation)} are targets of validation, ${thousands(items.test)} of test`,
    `  drawn     share ${share} of the items in train, seed ${seed}`,
    `  of users  train ${thousands(users.train)}, validation ${thousands(users.validation)}, test ${thousands(users.test)}`,
    `  parent    ${parent.name}, split ${parent.splitRule.rule}, hash ${parent.hash}`,
  ];
}

/** A dataset with its figures. */
export function describeSummary(summary: DatasetSummary): string[] {
  const { sequenceLengths, historyLengths, popularItems, tiedTrainTargets } = summary;
  const lengths = [...new Set(Object.values(historyLengths).flatMap(Object.keys))]
    .map(Number)
    .sort((a, b) => a - b);
  return [
    ...describeManifest(summary.folder, summary.manifest),
    `  sequences ${sequenceLengths.min} to ${sequenceLengths.max} items, median ${sequenceLengths.median}`,
    `  unseen    ${thousands(summary.itemsNotInTrain)} items never occur in train`,
    ...(tiedTrainTargets === null
      ? []
      : [
          `  ties      ${(100 * tiedTrainTargets).toFixed(1)} % of train targets have the time of the item before`,
        ]),
    '',
    'rows by history length',
    ...table([
      ['items', ...splitNames],
      ...lengths.map((length) => [
        String(length),
        ...splitNames.map((split) => thousands(historyLengths[split][length] ?? 0)),
      ]),
    ]),
    '',
    'most popular in train',
    ...table(
      popularItems.map(({ id, title, interactions }) => [
        thousands(interactions),
        String(id),
        title,
      ]),
    ),
    ...(summary.attributes.length === 0 ? [] : ['', 'attributes of items']),
    ...table(
      summary.attributes.map(({ name, type, items, coverage, examples }) => [
        name,
        type,
        `${thousands(items)} items (${(100 * coverage).toFixed(0)} %)`,
        examples.map((value) => shortened(String(value))).join(' | '),
      ]),
    ),
    '',
    'all hashes verified',
  ];
}

/** Columns that become attributes, in one line; none where there are none. */
export function describeAttributes(
  attributes: readonly { name: string; column: string; type: string }[],
): string[] {
  if (attributes.length === 0) return [];
  const each = attributes.map(
    ({ name, column, type }) => `${name}${name === column ? '' : ` (${column})`}: ${type}`,
  );
  return [`attributes  ${each.join(', ')}`];
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

/** Columns by meaning, in one line. */
export function describeColumns(columns: ColumnMap): string {
  return Object.entries(columns)
    .map(([role, column]) => `${inWords(role)} = ${column}`)
    .join(', ');
}

/** `belowMinRating` → `below min rating`. */
export function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A count with separators. */
export function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

/** Rows with aligned columns, wide characters in their titles or not. */
export function table(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(visible)); // as they will be shown
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((row) => stringWidth(row[i] ?? ''))),
  );
  const pad = (cell: string, width: number): string => cell + ' '.repeat(width - stringWidth(cell));
  return rows.map((row) => `  ${row.map((cell, i) => pad(cell, widths[i]!)).join('  ')}`.trimEnd());
}
