/**
 * How an item is written into a prompt: its title, and attributes that it may lack.
 *
 * In `{title} ({genres}, {year})` parts stand behind the title; they may stand before it too. A part is what lies
 * between two separators or brackets. A part whose attribute the item lacks is left out together with its separator.
 * So are the signs of a bracket in which nothing is left.
 */
import { cutTitle, visibleLine } from './neutral-title.js';

/** A value of an attribute, as catalogs have them. */
export type AttributeValue = string | number | readonly string[];

/** What the text of an item is made from. */
export interface TextItem {
  title: string;
  attributes?: Readonly<Record<string, AttributeValue>>;
}

/** Characters an attribute may take in a text; longer ones are cut. */
export const MAX_ATTRIBUTE_CHARACTERS = 100;

/** A stretch of text and attributes that stands or falls as one, with the separator before it. */
interface Part {
  separator: string;
  text: string;
  attributes: readonly string[];
}

/** Parts with what stands around them if any is left. */
interface Group {
  open: string;
  parts: readonly Part[];
  close: string;
}

/** A pattern taken apart; plain data. */
export interface ItemPattern {
  before: readonly Group[];
  after: readonly Group[];
  attributes: readonly string[];
}

const PLACEHOLDER = /\{([^{}]*)\}/g;
const BRACKETED = /(\s*[([（【「])([^()[\]（）【】「」]*)([)\]）】」])/;
const SEPARATOR = /(\s*[,;、，；/|·・]\s*)/;

/** Names of the placeholders in a text, in order. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name]) => name as string);
}

/** Takes a pattern apart that holds `{title}` once. */
export function parseItemPattern(pattern: string): ItemPattern {
  const [before = '', after = ''] = pattern.split('{title}');
  const attributes = placeholdersIn(pattern).filter((name) => name !== 'title');
  // What leads to the title is one part: separators in it belong to the title's own.
  const lead = { separator: '', text: before, attributes: placeholdersIn(before) };
  return {
    before: before === '' ? [] : [{ open: '', parts: [lead], close: '' }],
    after: groupsOf(after),
    attributes,
  };
}

function groupsOf(text: string): Group[] {
  const found = BRACKETED.exec(text);
  if (found === null) return text === '' ? [] : [{ open: '', parts: partsOf(text), close: '' }];
  const [whole, open = '', inner = '', close = ''] = found;
  return [
    ...groupsOf(text.slice(0, found.index)),
    { open, parts: partsOf(inner), close },
    ...groupsOf(text.slice(found.index + whole.length)),
  ];
}

function partsOf(text: string): Part[] {
  const pieces = text.split(SEPARATOR); // text, separator, text, ...
  const parts: Part[] = [];
  for (let i = 0; i < pieces.length; i += 2) {
    const piece = pieces[i] as string;
    const separator = pieces[i - 1] ?? '';
    if (piece === '' && i === 0 && pieces.length > 1) continue; // begins with a separator
    parts.push({ separator, text: piece, attributes: placeholdersIn(piece) });
  }
  return parts;
}

/** Text of groups with the attributes that the item has. */
export function fillGroups(groups: readonly Group[], values: ReadonlyMap<string, string>): string {
  return groups.map((group) => fillGroup(group, values)).join('');
}

function fillGroup({ open, parts, close }: Group, values: ReadonlyMap<string, string>): string {
  const kept = parts.filter(({ attributes }) => attributes.every((name) => values.has(name)));
  if (kept.length === 0) return '';
  const isBracket = open !== '';
  const hadAttributes = parts.some(({ attributes }) => attributes.length > 0);
  if (isBracket && hadAttributes && kept.every(({ attributes }) => attributes.length === 0))
    return '';
  const texts = kept.map(({ separator, text }, i) => {
    const filled = text.replace(PLACEHOLDER, (_, name: string) => values.get(name) as string);
    return isBracket && i === 0 ? filled : separator + filled;
  });
  return open + texts.join('') + close;
}

/** One bounded line of visible text for each attribute that has any. */
export function attributeTexts(
  attributes: TextItem['attributes'],
  names: readonly string[],
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const name of names) {
    if (attributes === undefined || !Object.hasOwn(attributes, name)) continue;
    const text = attributeText(attributes[name] as AttributeValue);
    if (text !== '') texts.set(name, text);
  }
  return texts;
}

/** A value as one bounded line of visible text; empty if nothing of it is visible. */
export function attributeText(value: AttributeValue): string {
  const most = MAX_ATTRIBUTE_CHARACTERS;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return cutTitle(visibleLine(value.slice(0, 8 * most)), most);
  const texts: string[] = [];
  let length = 0;
  for (const entry of value) {
    const text = attributeText(entry);
    if (text === '') continue;
    texts.push(text);
    length += text.length;
    if (length > most) break;
  }
  return cutTitle(texts.join(', '), most);
}
