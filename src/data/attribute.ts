/**
 * Attributes of items: names, types, and the one rule by which a column of texts becomes one of them.
 *
 * A value is a list if it holds `|` between short parts, or is a JSON array of texts and numbers (as Parquet's lists
 * are read). One list makes its column a column of lists. Of the others, a column of finite numbers in ordinary
 * spelling is one of numbers (`007` and longer numbers than a program keeps exactly are none), every other one of
 * texts. Empty values are absent, and so is NaN among numbers.
 */
import { faults } from '../errors/index.js';
import { snakeCase } from '../files/index.js';
import { tidyTitle } from './title.js';

/** What an attribute holds: a text, a number, or a list of texts. */
export const attributeTypes = ['text', 'number', 'texts'] as const;
export type AttributeType = (typeof attributeTypes)[number];
export type AttributeValue = string | number | readonly string[];
/** Values by name; absent ones have no key. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** An attribute of a dataset. */
export interface AttributeInfo {
  name: string;
  type: AttributeType;
}

/** Of an item without any. */
export const NO_ATTRIBUTES: Attributes = Object.freeze({});

export const MAX_ATTRIBUTES = 64;
/** Longer texts are cut. */
export const MAX_TEXT_CHARACTERS = 1000;
/** Longer entries of lists are cut, and further entries left out. */
export const MAX_ENTRY_CHARACTERS = 200;
export const MAX_ENTRIES = 50;

/** What an attribute's name looks like, so that a prompt template can name it. */
export const ATTRIBUTE_NAME = /^\p{L}[\p{L}\p{N}_]{0,63}$/u;

/** `Release Year` and `releaseYear:float` → `release_year`; `column_3` where the name has no letter first. */
export function attributeName(column: string, index: number): string {
  const name = snakeCase(column.replace(/:(token|float)(_seq)?$/, ''))
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  return ATTRIBUTE_NAME.test(name) ? name : `column_${index + 1}`;
}

/** A column that becomes an attribute. */
export interface AttributeColumn {
  name: string;
  column: string;
}

/**
 * The columns that become attributes.
 *
 * @param columns of the file, in order
 * @param taken   those with another meaning
 * @param wanted  names of columns or attributes; undefined: all
 * @throws IloraError `usage` listing names that clash or are not there
 */
export function attributeColumns(
  path: string,
  columns: readonly string[],
  { taken, wanted }: { taken: readonly string[]; wanted?: readonly string[] | undefined },
): AttributeColumn[] {
  const all = columns
    .map((column, i) => ({ column, name: attributeName(column, i) }))
    .filter(({ column }) => !taken.includes(column));
  const means = (text: string) => (each: AttributeColumn) =>
    each.column === text || each.name === text.toLowerCase();
  const chosen =
    wanted === undefined ? all : all.filter((each) => wanted.some((text) => means(text)(each)));
  const problems = (wanted ?? [])
    .filter((text) => !all.some(means(text)))
    .map(
      (text) =>
        `--attributes: expected ${all.map(({ name }) => name).join(', ') || 'no names: there are no further columns'}, got ${text}`,
    );
  const byName = new Map<string, string>([['title', 'the title']]);
  for (const { name, column } of chosen) {
    const earlier = byName.get(name);
    if (earlier !== undefined)
      problems.push(
        `columns: expected names of their own, got ${name} from both ${earlier} and "${column}" — keep one with --attributes COLUMN`,
      );
    byName.set(name, `"${column}"`);
  }
  if (chosen.length > MAX_ATTRIBUTES)
    problems.push(
      `columns: expected at most ${MAX_ATTRIBUTES} attributes, got ${chosen.length} — choose with --attributes`,
    );
  if (problems.length > 0) throw faults('usage', path, problems);
  return chosen;
}

const NUMBER = /^[+-]?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d+)?$/i;

/** Digits before the point that a float64 keeps. */
const MAX_DIGITS = 15;

function isNumber(text: string): boolean {
  // More digits than a program keeps exactly are an id, not a number.
  const digits = /^[+-]?(\d*)/.exec(text)?.[1] ?? '';
  return (
    NUMBER.test(text) &&
    /\d/.test(text) &&
    digits.length <= MAX_DIGITS &&
    Number.isFinite(Number(text))
  );
}

/** Longest part between two `|` of a list. */
const MAX_PART_CHARACTERS = 60;

/** Entries of a value that is a list; undefined if it is none. */
function entriesOf(text: string): string[] | undefined {
  if (text.startsWith('[') && text.endsWith(']')) {
    try {
      const entries: unknown = JSON.parse(text);
      if (
        Array.isArray(entries) &&
        entries.flat().every((entry) => typeof entry !== 'object' || entry === null)
      )
        return entries
          .flat()
          .filter((entry) => entry !== null)
          .map(String);
    } catch {
      // A text in brackets.
    }
  }
  if (!text.includes('|')) return undefined;
  const parts = text.split('|');
  // A description may hold the sign; the names in a list are short.
  return parts.every((part) => part.trim().length <= MAX_PART_CHARACTERS) ? parts : undefined;
}

/** Type and values of a column, by the rule above. @param texts as they stand in the file; null: nothing */
export function readAttribute(texts: readonly (string | null)[]): {
  type: AttributeType;
  values: (AttributeValue | undefined)[];
} {
  const tidy = texts.map((text) => tidyTitle(text ?? ''));
  const lists = tidy.map(entriesOf);
  if (lists.some((entries) => entries !== undefined))
    return {
      type: 'texts',
      values: lists.map((entries, i) => listOf(entries ?? [tidy[i] as string])),
    };
  const isAbsent = (text: string): boolean => text === '' || /^nan$/i.test(text);
  const filled = tidy.filter((text) => !isAbsent(text));
  if (filled.length > 0 && filled.every(isNumber))
    return {
      type: 'number',
      values: tidy.map((text) => (isAbsent(text) ? undefined : Number(text))),
    };
  return {
    type: 'text',
    values: tidy.map((text) => (text === '' ? undefined : cut(text, MAX_TEXT_CHARACTERS))),
  };
}

function listOf(entries: readonly string[]): string[] | undefined {
  const texts = entries
    .map((entry) => cut(tidyTitle(entry), MAX_ENTRY_CHARACTERS))
    .filter((entry) => entry !== '')
    .slice(0, MAX_ENTRIES);
  return texts.length === 0 ? undefined : texts;
}

/** The first characters of a text. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : [...text].slice(0, most).join('');
}

/**
 * Attributes of items from the texts of columns. A column without any value becomes none.
 * @param columns texts of each column, in the order of the items
 */
export function readAttributes(
  names: readonly string[],
  columns: readonly (readonly (string | null)[])[],
  count: number,
): { infos: AttributeInfo[]; attributes: Attributes[] } {
  const infos: AttributeInfo[] = [];
  const attributes: Record<string, AttributeValue>[] = Array.from({ length: count }, () => ({}));
  for (const [i, name] of names.entries()) {
    const { type, values } = readAttribute(columns[i] ?? []);
    if (values.every((value) => value === undefined)) continue;
    infos.push({ name, type });
    for (const [item, value] of values.entries())
      if (value !== undefined) (attributes[item] as Record<string, AttributeValue>)[name] = value;
  }
  return { infos, attributes };
}

/** What a value of an attribute must be that it is not; undefined if it is right. */
export function attributeFault(type: AttributeType, value: unknown): string | undefined {
  const isText = (text: unknown, most: number): boolean =>
    typeof text === 'string' && text !== '' && text.length <= 2 * most; // two units per character
  switch (type) {
    case 'number':
      return Number.isFinite(value) ? undefined : 'a finite number';
    case 'text':
      return isText(value, MAX_TEXT_CHARACTERS) ? undefined : 'a text of bounded length';
    case 'texts':
      return Array.isArray(value) &&
        value.length > 0 &&
        value.length <= MAX_ENTRIES &&
        value.every((entry) => isText(entry, MAX_ENTRY_CHARACTERS))
        ? undefined
        : 'a list of texts of bounded length';
  }
}
