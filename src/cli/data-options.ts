/**
 * Options that several verbs of `ilora data` share, and how their values are read.
 */
import { type Command, Option } from '@commander-js/extra-typings';
import {
  type Fractions,
  MAX_ATTRIBUTES,
  MAX_ENTRIES,
  MAX_ENTRY_CHARACTERS,
  MAX_TEXT_CHARACTERS,
  type TextOptions,
  type WriteDatasetOptions,
} from '../data/index.js';
import { mismatch } from '../errors/index.js';

/** `--titles`. */
export function titlesOption() {
  return new Option(
    '--titles <style>',
    'how titles are written; published: without year, article in front',
  ).choices(['published', 'raw'] as const);
}

/** Adds what says how a text file is written. */
export function withTextOptions<T extends Command>(command: T) {
  return command
    .option('--delimiter <text>', 'what separates fields (default: found in the first line)')
    .option('--quote <character>', 'quote character, or "none"')
    .option('--no-header', 'the first line is a row; name columns by number')
    .addOption(
      new Option('--encoding <name>', 'encoding of text files').choices([
        'utf-8',
        'latin-1',
      ] as const),
    );
}

/** The values of those options. */
export function textOptions(options: {
  delimiter?: string | undefined;
  quote?: string | undefined;
  header: boolean;
  encoding?: 'utf-8' | 'latin-1' | undefined;
}): TextOptions {
  const { delimiter, quote, header, encoding } = options;
  return {
    ...(delimiter !== undefined && { delimiter: delimiter.replaceAll('\\t', '\t') }),
    ...(quote !== undefined && { quote: quote === 'none' ? '' : quote }),
    hasHeader: header,
    ...(encoding !== undefined && { encoding }),
  };
}

/** Reads `--attributes` and `--no-attributes`. */
export function attributeNames(value: string | boolean | undefined): string[] | undefined {
  if (value === false) return [];
  if (typeof value !== 'string') return undefined;
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The one rule by which columns become attributes. */
export const ATTRIBUTES_HELP = `
Attributes: every further column of the items file is kept, its name in snake_case.
  A value is a list of texts if it holds "|" between short parts, or is a JSON array or a Parquet list;
  one list makes its column a column of lists. A column of numbers is one of
  numbers ("007" is none), every other one of texts. Empty values are absent.
  At most ${MAX_ATTRIBUTES} attributes; a text is cut at ${MAX_TEXT_CHARACTERS} characters, a list at
  ${MAX_ENTRIES} entries, an entry at ${MAX_ENTRY_CHARACTERS}. "ilora data preview FILE" shows them.`;

/** What a split by cold items is. */
export const COLD_HELP = `
Half of the cold items are targets of validation, half of test; train has neither. A held-out row is
a target of the dataset's own held-out users, after the items that its user had before and that
occur in train. test has the last row of each user, test-wide all.
An item whose title another item has is never cold. Items, ids and candidates per row stay.`;

/** Candidates, seed and overwriting. */
export function writeOptions(options: {
  candidates: number;
  seed: number;
  overwrite?: true | undefined;
}): WriteDatasetOptions {
  return {
    candidateCount: options.candidates,
    seed: options.seed,
    overwrite: options.overwrite ?? false,
  };
}

/** Reads a whole number. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw mismatch('usage', { where: 'ilora data', expected: 'a whole number', got: text });
}

/** Reads a number. */
export function decimal(text: string): number {
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  throw mismatch('usage', { where: 'ilora data', expected: 'a number', got: text });
}

/** Reads `8:1:1`. */
export function fractions(text: string): Fractions {
  const parts = text.split(/[:,]/).map(decimal);
  if (parts.length === 3) return parts as unknown as Fractions;
  throw mismatch('usage', {
    where: '--fractions',
    expected: 'three numbers such as 8:1:1',
    got: text,
  });
}
