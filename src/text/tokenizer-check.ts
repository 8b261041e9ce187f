/**
 * Checks the parts of a tokenizer.json before the library sees them.
 *
 * The library trusts its input: a setting of the wrong type surfaces as a TypeError somewhere in an encode, a
 * `FixedLength` of 0 never ends, and a few replacements in a row can unfold a title to gigabytes.
 */
import { mismatch } from '../errors/index.js';

type Check = readonly [expected: string, isFine: (value: unknown) => boolean];

const text: Check = ['a text', (value) => typeof value === 'string'];
const absent = (value: unknown): boolean => value === undefined || value === null;
const optional = ([expected, isFine]: Check): Check => [
  `${expected} or nothing`,
  (value) => absent(value) || isFine(value),
];
const flag = optional(['true or false', (value) => typeof value === 'boolean']);
const size: Check = [
  'a whole number from 1',
  (value) => Number.isSafeInteger(value) && (value as number) >= 1,
];
const count = optional([
  'a whole number from 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
]);
const template: Check = [
  'a list of {"Sequence": ...} and {"SpecialToken": {"id": ...}}',
  (value) =>
    Array.isArray(value) &&
    value.every((piece: { Sequence?: unknown; SpecialToken?: { id?: unknown } | null } | null) =>
      piece?.Sequence === undefined ? typeof piece?.SpecialToken?.id === 'string' : true,
    ),
];
const pattern: Check = [
  'a pattern with either "String" or "Regex" as a text',
  (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const { String: plain, Regex: regex } = value as { String?: unknown; Regex?: unknown };
    return regex === undefined ? typeof plain === 'string' : typeof regex === 'string';
  },
];

type Types = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const space = {
  replacement: optional(text),
  str_rep: optional(text),
  prepend_scheme: optional(text),
};
const bytes = { add_prefix_space: flag, trim_offsets: flag, use_regex: flag };
const replace = { pattern, content: optional(text) };

/** Types of each part and their settings; `Sequence` holds parts in the list named here. */
const PARTS: Readonly<Record<string, { sequence: string; types: Types }>> = {
  normalizer: {
    sequence: 'normalizers',
    types: {
      BertNormalizer: {
        clean_text: flag,
        handle_chinese_chars: flag,
        strip_accents: flag,
        lowercase: flag,
      },
      Precompiled: {},
      Replace: replace,
      NFC: {},
      NFD: {},
      NFKC: {},
      NFKD: {},
      Strip: { strip_left: flag, strip_right: flag },
      StripAccents: {},
      Lowercase: {},
      Prepend: { prepend: text },
    },
  },
  pre_tokenizer: {
    sequence: 'pretokenizers',
    types: {
      BertPreTokenizer: {},
      Whitespace: {},
      WhitespaceSplit: {},
      Metaspace: space,
      ByteLevel: bytes,
      Split: { pattern, behavior: optional(text), invert: flag },
      Punctuation: {},
      Digits: { individual_digits: flag },
      Replace: replace,
      FixedLength: { length: size },
    },
  },
  post_processor: {
    sequence: 'processors',
    types: {
      TemplateProcessing: { single: template },
      ByteLevel: bytes,
      BertProcessing: {},
      RobertaProcessing: {},
    },
  },
  decoder: {
    sequence: 'decoders',
    types: {
      ByteLevel: bytes,
      WordPiece: { prefix: text, cleanup: flag },
      Metaspace: space,
      BPEDecoder: { suffix: optional(text) },
      CTC: { pad_token: optional(text), word_delimiter_token: optional(text), cleanup: flag },
      Replace: replace,
      Fuse: {},
      Strip: { content: optional(text), start: count, stop: count },
      ByteFallback: {},
    },
  },
};

const MAX_DEPTH = 16;
/** Times that a text may become as long by all replacements of a part. */
const MAX_GROWTH = 1024;

/**
 * Checks one part of the pipeline: its type, its settings, and those of the parts in it.
 *
 * @param part   `normalizer`, `pre_tokenizer`, `post_processor` or `decoder`
 * @param where  file named in errors
 * @throws IloraError of code `format` naming the key
 */
export function checkPart(part: keyof typeof PARTS, value: unknown, where: string): void {
  const { sequence, types } = PARTS[part] as (typeof PARTS)[string];
  let growth = 1;
  const visit = (node: unknown, key: string, depth: number): void => {
    const fail = (name: string, expected: string, got: unknown): Error =>
      mismatch('format', { where: `${where}: ${name}`, expected, got });
    if (absent(node)) return;
    if (typeof node !== 'object') throw fail(key, 'a part with a type, or null', node);
    const component = node as Record<string, unknown>;
    if (component.type === 'Sequence') {
      const inner = component[sequence];
      if (!Array.isArray(inner)) throw fail(`${key}.${sequence}`, 'a list', inner);
      if (depth === MAX_DEPTH) throw fail(key, `at most ${MAX_DEPTH} sequences in a row`, 'more');
      for (const [i, each] of inner.entries()) visit(each, `${key}.${sequence}[${i}]`, depth + 1);
      return;
    }
    const { type } = component;
    const settings = typeof type === 'string' && Object.hasOwn(types, type) ? types[type] : null;
    if (settings === null || settings === undefined)
      throw fail(`${key}.type`, `one of Sequence, ${Object.keys(types).join(', ')}`, type);
    for (const [name, [expected, isFine]] of Object.entries(settings))
      if (!isFine(component[name])) throw fail(`${key}.${name}`, expected, component[name]);
    growth *= growthOf(component);
    if (growth > MAX_GROWTH)
      throw fail(key, `replacements that lengthen a text at most ${MAX_GROWTH} times`, 'more');
  };
  visit(value, part, 0);
}

/** How many times as long a replacement can make a text. */
function growthOf({ type, pattern: given, content }: Record<string, unknown>): number {
  if (type !== 'Replace') return 1;
  const { String: plain } = given as { String?: string };
  const length = typeof content === 'string' ? content.length : 0;
  // A pattern may match the empty text, before every character.
  return plain === undefined || plain === ''
    ? 1 + length
    : Math.max(1, Math.ceil(length / plain.length));
}

/** Checks the settings of a BPE model beside its vocabulary. @throws IloraError of code `format` */
export function checkModel(
  model: Readonly<Record<string, unknown>>,
  merges: readonly unknown[],
  where: string,
): void {
  const settings: Readonly<Record<string, Check>> = {
    unk_token: optional(text),
    end_of_word_suffix: optional(text),
    continuing_subword_suffix: optional(text),
    fuse_unk: flag,
    byte_fallback: flag,
    ignore_merges: flag,
  };
  for (const [name, [expected, isFine]] of Object.entries(settings))
    if (!isFine(model[name]))
      throw mismatch('format', { where: `${where}: model.${name}`, expected, got: model[name] });
  const isText = typeof merges[0] === 'string';
  const isMerge = (merge: unknown): boolean =>
    isText
      ? typeof merge === 'string' && merge.indexOf(' ') > 0
      : Array.isArray(merge) &&
        merge.length === 2 &&
        merge.every((token) => typeof token === 'string');
  const bad = merges.findIndex((merge) => !isMerge(merge));
  if (bad >= 0)
    throw mismatch('format', {
      where: `${where}: model.merges[${bad}]`,
      expected: isText ? 'two tokens with a space between' : 'a list of two tokens',
      got: merges[bad],
    });
}
