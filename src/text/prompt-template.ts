/**
 * Wordings of prompts: files that are shipped in prompts/, or of the user's own, in any language.
 *
 * docs/prompts.md describes the file. Whether items begin with a space is said once, by the end of the separator:
 * a title has the same tokens wherever it stands.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { faults, mismatch, show } from '../errors/index.js';
import { parseYaml, readText } from '../files/index.js';
import {
  type ItemPattern,
  parseItemPattern,
  placeholdersIn,
  type TextItem,
} from './item-pattern.js';

/** One wording: texts around the history and the candidates, in order; `{count}` may stand in texts. */
export type Piece = { kind: 'text'; text: string } | { kind: 'history' } | { kind: 'candidates' };

/** A template file, checked; plain data. */
export interface PromptTemplate {
  name: string;
  /** BCP 47, for readers; nothing depends on it. */
  language: string;
  wordings: readonly (readonly Piece[])[];
  item: ItemPattern;
  /** What an item begins with wherever it stands: a space, or nothing. */
  lead: '' | ' ';
  /** Stands between items, without the space that is the next one's lead. */
  separator: string;
  /** Stands behind an answer; begins with a line end, which no title holds. */
  end: string;
  /** Of all that can change a prompt: comments, name and language cannot. */
  sha256: string;
}

const FOLDER = join(import.meta.dirname, '..', '..', 'prompts');
const MAX_FILE_BYTES = 1 << 16;
const MAX_WORDINGS = 32;
const MAX_WORDING_CHARACTERS = 4000;

/** Names of the templates that are shipped. */
export function promptTemplateNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/**
 * File of a shipped template by its name, or the path as it is: one with a slash or a file's ending.
 * @throws IloraError `settings` if neither is meant
 */
export function promptTemplateFile(nameOrPath: string): string {
  if (/[/\\]|\.ya?ml$/i.test(nameOrPath)) return nameOrPath;
  const names = promptTemplateNames();
  if (names.includes(nameOrPath)) return join(FOLDER, `${nameOrPath}.yaml`);
  throw mismatch('settings', {
    where: 'prompt',
    expected: `${names.join(', ')}, or the path of a file that ends in .yaml`,
    got: nameOrPath,
  });
}

/**
 * Opens a shipped template by its name, or a file by its path.
 * @throws IloraError `file`, or `settings` listing every fault with its key
 */
export function openPromptTemplate(nameOrPath: string): PromptTemplate {
  const path = promptTemplateFile(nameOrPath);
  const text = readText(path, { expected: 'a prompt template', maxBytes: MAX_FILE_BYTES });
  return parsePromptTemplate(text, path);
}

/** A template of its text. @param path for messages @throws IloraError `settings` listing every fault */
export function parsePromptTemplate(text: string, path: string): PromptTemplate {
  const input = parseYaml(text, path);
  const parsed = fileSchema.safeParse(input);
  if (!parsed.success)
    throw faults('settings', path, parsed.error.issues.flatMap(issueLines(input)));
  const { name, language, words, wordings, item, separator, end } = parsed.data;
  const lead = separator.endsWith(' ') ? ' ' : '';
  const lines = [
    ...itemFaults(item),
    ...wordings.flatMap((wording, i) =>
      wordingFaults(wording, { words, lead }).map((fault) => `wordings[${i}]: ${fault}`),
    ),
  ];
  if (lines.length > 0) throw faults('settings', path, lines);
  const template = {
    wordings: wordings.map((wording) => piecesOf(wording, { words, lead })),
    item: parseItemPattern(item),
    lead,
    separator: lead === '' ? separator : separator.slice(0, -1),
    end,
  } as const;
  const sha256 = createHash('sha256').update(JSON.stringify(template)).digest('hex');
  return { name, language, ...template, sha256 };
}

/**
 * Refuses a template that names attributes which no item has.
 * @param where file, for the message
 * @throws IloraError `data` naming those that there are
 */
export function checkAttributes({ item, name }: PromptTemplate, items: readonly TextItem[]): void {
  if (item.attributes.length === 0) return;
  const known = new Set(items.flatMap(({ attributes }) => Object.keys(attributes ?? {})));
  const unknown = item.attributes.filter((attribute) => !known.has(attribute));
  if (unknown.length === 0) return;
  const expected = known.size === 0 ? 'no attributes: the items have none' : [...known].join(', ');
  throw faults(
    'data',
    `prompt template ${name}`,
    unknown.map((attribute) => `item: expected ${expected}, got {${attribute}}`),
  );
}

const plain = (most: number) =>
  z
    .string()
    .min(1)
    .max(most, `expected at most ${most} characters`)
    .refine((text) => !/[^\P{Cc}\n]/u.test(text), 'expected no control characters')
    .refine((text) => !/\p{Surrogate}/u.test(text), 'expected whole characters');
const line = (most: number) =>
  plain(most).refine((text) => !text.includes('\n'), 'expected one line');
const unbraced = (text: string): boolean => !/[{}]/.test(text);

const RESERVED = ['history', 'candidates', 'count', 'title'];

const fileSchema = z.strictObject({
  name: line(64),
  language: line(35).regex(
    /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/,
    'expected a tag such as en, de or pt-BR',
  ),
  words: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a name in snake_case'),
      line(100).refine(unbraced, 'expected no braces'),
    )
    .refine((words) => Object.keys(words).length <= 32, 'expected at most 32 words')
    .refine(
      (words) => !RESERVED.some((name) => Object.hasOwn(words, name)),
      `expected no word named ${RESERVED.join(', ')}`,
    )
    .default({}),
  wordings: z
    .array(plain(MAX_WORDING_CHARACTERS))
    .min(1, 'expected one wording or more')
    .max(MAX_WORDINGS, `expected at most ${MAX_WORDINGS} wordings`),
  item: line(200).default('{title}'),
  separator: plain(16)
    .refine((text) => /[^ ]/.test(text), 'expected a sign or a line end')
    .refine(unbraced, 'expected no braces')
    .default(', '),
  end: plain(16)
    .refine((text) => text.startsWith('\n'), 'expected a line end first')
    .refine(unbraced, 'expected no braces')
    .default('\n'),
});

/** Lines of a fault that the schema found: key, what was expected, what stood there. */
function issueLines(input: unknown) {
  return (issue: z.core.$ZodIssue): string[] => {
    const key = issue.path
      .map((part, i) =>
        typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`,
      )
      .join('');
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((name) => `${name}: expected no such key`);
    const got = issue.path.reduce<unknown>(
      (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part],
      input,
    );
    const inner = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    const expected = (inner ?? issue.message)
      .replace(/^Invalid (input|option): /, '')
      .replace(/^Too small: .*$/, 'expected some text')
      .replace(/, received .*$/, '');
    return [`${key === '' ? '(top)' : key}: ${expected}, got ${show(got)}`];
  };
}

interface Wording {
  words: Readonly<Record<string, string>>;
  lead: string;
}

function wordingFaults(wording: string, { words, lead }: Wording): string[] {
  const names = placeholdersIn(wording);
  const known = ['history', 'candidates', 'count', ...Object.keys(words)];
  const lines = unknownPlaceholders(wording, known);
  for (const name of ['history', 'candidates']) {
    const times = names.filter((each) => each === name).length;
    if (times !== 1)
      lines.push(
        `expected {${name}} once, got it ${times === 0 ? 'not at all' : `${times} times`}`,
      );
    else if (lead === ' ' && !wording.includes(` {${name}}`))
      lines.push(`expected a space before {${name}}, since the separator ends with one`);
  }
  const [, between = '-', last = '-'] = wording.split(/\{(?:history|candidates)\}/);
  if (between.trim() === '') lines.push('expected text between {history} and {candidates}');
  if (last.trim() === '') lines.push('expected text at the end, which asks for the answer');
  else if (lead === ' ' && /\s$/.test(last))
    lines.push('expected no white space at the end, since an answer begins with it — YAML: |-');
  return lines;
}

function itemFaults(item: string): string[] {
  const names = placeholdersIn(item);
  const titles = names.filter((name) => name === 'title').length;
  const lines: string[] = [];
  if (titles !== 1) lines.push(`item: expected {title} once, got it ${titles} times`);
  if (/^\s|\s$/.test(item))
    lines.push(`item: expected no white space around it, got ${show(item)}`);
  const attributes = names.filter((name) => /^\p{L}[\p{L}\p{N}_]*$/u.test(name));
  lines.push(...unknownPlaceholders(item, attributes).map((fault) => `item: ${fault}`));
  return lines;
}

/** Placeholders that are not known, and braces that are none. */
function unknownPlaceholders(text: string, known: readonly string[]): string[] {
  const lines = [...new Set(placeholdersIn(text))]
    .filter((name) => !known.includes(name))
    .map((name) =>
      known.length === 0
        ? `expected names in snake_case, got {${name}}`
        : `expected ${known.map((each) => `{${each}}`).join(', ')}, got {${name}}`,
    );
  if (/[{}]/.test(text.replaceAll(/\{[^{}]*\}/g, '')))
    lines.push('expected braces around placeholders only');
  return lines;
}

function piecesOf(wording: string, { words, lead }: Wording): Piece[] {
  const pieces: Piece[] = [];
  for (const part of wording.split(/(\{(?:history|candidates)\})/)) {
    if (part === '{history}') pieces.push({ kind: 'history' });
    else if (part === '{candidates}') pieces.push({ kind: 'candidates' });
    else if (part !== '') pieces.push({ kind: 'text', text: part });
  }
  return pieces.flatMap((piece, i): Piece[] => {
    if (piece.kind !== 'text') return [piece];
    const isBeforeItems = i + 1 < pieces.length;
    const own = isBeforeItems && lead !== '' ? piece.text.slice(0, -lead.length) : piece.text;
    const text = own.replace(/\{([^{}]*)\}/g, (whole, name: string) => words[name] ?? whole);
    return text === '' ? [] : [{ kind: 'text', text }];
  });
}
