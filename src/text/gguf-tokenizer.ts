/**
 * A tokenizer.json made from a GGUF file's metadata.
 *
 * Two kinds are known: `gpt2` (byte-level BPE, split by one of llama.cpp's named patterns) and
 * `llama` (SentencePiece: merges follow from the scores, unknown characters become bytes).
 *
 * @see llama.cpp, `llama-vocab.cpp`: the patterns by name
 */
import { mismatch } from '../errors/index.js';
import {
  byteLevel,
  type Component,
  GPT2_PATTERN,
  type SpacePrefix,
  splitAt,
  type TokenizerJson,
} from './tokenizer-json.js';

/** Metadata of a GGUF file by key. */
export interface Metadata {
  get(key: string): unknown;
}

/** What a tokenizer is made of, whatever file it came from. */
export interface TokenizerParts {
  /** Without special tokens and without the space before a text. */
  json: TokenizerJson;
  prefix: SpacePrefix;
  /** Text of each special token. */
  specials: ReadonlyMap<number, string>;
  /** Ids that the model expects before and after a text. */
  before: readonly number[];
  after: readonly number[];
  eosIds: readonly number[];
  vocabSize: number;
}

/** llama.cpp's token types. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/** SentencePiece's own bound is 16; merges are looked for at every cut of a token. */
const MAX_PIECE = 256;

const LLAMA3_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** How each named pre-tokenizer splits; the patterns apply one after the other. */
const PATTERNS: Readonly<Record<string, readonly string[]>> = {
  'gpt-2': [GPT2_PATTERN],
  smollm: ['\\p{N}', GPT2_PATTERN],
  'llama-bpe': [LLAMA3_PATTERN],
  qwen2: [LLAMA3_PATTERN.replace('\\p{N}{1,3}', '\\p{N}')],
  default: ['[\\p{P}\\$\\+<=>\\^~\\|]+', GPT2_PATTERN, '\\p{N}+', '[0-9][0-9][0-9]'],
};

/** Names whose text ends when one of them is generated, beside the declared end token. */
export const END_TOKENS: readonly string[] = [
  '</s>',
  '<|endoftext|>',
  '<|end_of_text|>',
  '<|im_end|>',
  '<|eot_id|>',
  '<|eom_id|>',
];

/**
 * Reads the tokenizer in a GGUF file's metadata.
 *
 * @param where  file named in errors
 * @throws IloraError of code `format`
 */
export function readGgufTokenizer(metadata: Metadata, where: string): TokenizerParts {
  const fail = (key: string, expected: string): Error =>
    mismatch('format', { where: `${where}: ${key}`, expected, got: metadata.get(key) });
  const tokens = metadata.get('tokenizer.ggml.tokens');
  if (!isTextList(tokens) || tokens.length === 0)
    throw fail('tokenizer.ggml.tokens', 'a list of texts');
  const types = metadata.get('tokenizer.ggml.token_type');
  if (types !== undefined && (!(types instanceof Int32Array) || types.length !== tokens.length))
    throw mismatch('format', {
      where: `${where}: tokenizer.ggml.token_type`,
      expected: `${tokens.length} numbers`,
      got: types instanceof Int32Array ? types.length : types,
    });
  const typeOf = (id: number): number => types?.[id] ?? NORMAL;
  const model = metadata.get('tokenizer.ggml.model');
  if (model !== 'gpt2' && model !== 'llama')
    throw fail('tokenizer.ggml.model', '"gpt2" or "llama"');
  const input = { metadata, tokens, typeOf, fail, where };
  const { json, prefix } = model === 'gpt2' ? byteLevelJson(input) : sentencePieceJson(input);
  const idOf = (key: string): number | undefined => {
    const id = metadata.get(key);
    if (id === undefined) return undefined;
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < tokens.length) return id;
    throw fail(key, `a token id below ${tokens.length}`);
  };
  const specials = new Map<number, string>();
  tokens.forEach((token, id) => {
    if ([UNKNOWN, CONTROL, USER_DEFINED].includes(typeOf(id))) specials.set(id, token);
  });
  // A token that no text may spell, or whose text another one has: the library could not name it.
  const spelled = new Set(Object.values(json.model.vocab));
  tokens.forEach((token, id) => {
    if (!spelled.has(id)) specials.set(id, token);
  });
  const bosId = idOf('tokenizer.ggml.bos_token_id');
  const eosId = idOf('tokenizer.ggml.eos_token_id');
  const ends = [...specials].filter(([, text]) => END_TOKENS.includes(text)).map(([id]) => id);
  const usesBos = metadata.get('tokenizer.ggml.add_bos_token') ?? hasBosByDefault(metadata);
  const usesEos = metadata.get('tokenizer.ggml.add_eos_token') ?? false;
  return {
    json,
    prefix,
    specials,
    before: usesBos === true && bosId !== undefined ? [bosId] : [],
    after: usesEos === true && eosId !== undefined ? [eosId] : [],
    eosIds: [...new Set([...(eosId === undefined ? [] : [eosId]), ...ends])],
    vocabSize: tokens.length,
  };
}

interface Input {
  metadata: Metadata;
  tokens: readonly string[];
  typeOf(id: number): number;
  fail(key: string, expected: string): Error;
  where: string;
}

function hasBosByDefault(metadata: Metadata): boolean {
  return (
    metadata.get('tokenizer.ggml.model') === 'llama' ||
    metadata.get('tokenizer.ggml.pre') === 'llama-bpe'
  );
}

/** Ids by text, without tokens that no text may spell. A null prototype keeps `__proto__` a key. */
function vocabularyOf({ tokens, typeOf }: Input, kept: readonly number[]): Record<string, number> {
  const vocab: Record<string, number> = Object.create(null);
  tokens.forEach((token, id) => {
    if (kept.includes(typeOf(id))) vocab[token] = id;
  });
  return vocab;
}

function byteLevelJson(input: Input): Pick<TokenizerParts, 'json' | 'prefix'> {
  const { metadata, fail } = input;
  const merges = metadata.get('tokenizer.ggml.merges');
  if (!isTextList(merges)) throw fail('tokenizer.ggml.merges', 'a list of texts');
  const name = metadata.get('tokenizer.ggml.pre') ?? 'default';
  const patterns = Object.hasOwn(PATTERNS, String(name)) ? PATTERNS[String(name)] : undefined;
  if (patterns === undefined)
    throw fail('tokenizer.ggml.pre', `one of ${Object.keys(PATTERNS).join(', ')}`);
  const pretokenizers: Component[] = [...patterns.map(splitAt), byteLevel()];
  const vocab = vocabularyOf(input, [NORMAL]);
  const pairs = merges.map((merge) => {
    const gap = merge.indexOf(' ', 1); // a token may not be empty; only the left part may hold none
    return [merge.slice(0, gap), merge.slice(gap + 1)] as const;
  });
  return {
    prefix: metadata.get('tokenizer.ggml.add_space_prefix') === true ? 'unless-spaced' : 'never',
    json: {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'Sequence', pretokenizers },
      post_processor: null,
      decoder: { type: 'ByteLevel' },
      model: {
        type: 'BPE',
        vocab,
        merges: pairs.filter(([left, right]) => vocab[left + right] !== undefined),
        // Llama 3 takes a whole word that is a token even where no merges lead to it.
        ignore_merges: name === 'llama-bpe',
      },
    },
  };
}

function sentencePieceJson(input: Input): Pick<TokenizerParts, 'json' | 'prefix'> {
  const { metadata, tokens, typeOf, fail, where } = input;
  const scores = metadata.get('tokenizer.ggml.scores');
  if (!(scores instanceof Float32Array) || scores.length !== tokens.length)
    throw fail('tokenizer.ggml.scores', `${tokens.length} numbers`);
  const long = tokens.findIndex((token) => token.length > MAX_PIECE);
  if (long >= 0)
    throw mismatch('format', {
      where: `${where}: tokenizer.ggml.tokens[${long}]`,
      expected: `at most ${MAX_PIECE} characters`,
      got: tokens[long]?.length,
    });
  const unknown = tokens.findIndex((_, id) => typeOf(id) === UNKNOWN);
  const hasPrefix = metadata.get('tokenizer.ggml.add_space_prefix') !== false;
  const decoders: Component[] = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ];
  if (hasPrefix) decoders.push({ type: 'Strip', content: ' ', start: 1, stop: 0 });
  return {
    prefix: hasPrefix ? 'always' : 'never',
    json: {
      added_tokens: [],
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Sequence', decoders },
      model: {
        type: 'BPE',
        vocab: vocabularyOf(input, [NORMAL, UNKNOWN, BYTE]),
        merges: mergesFromScores(vocabularyOf(input, [NORMAL]), scores),
        unk_token: unknown < 0 ? null : tokens[unknown],
        byte_fallback: true,
        fuse_unk: true,
      },
    },
  };
}

/** Every way to make a token of two others, best score of the result first. */
function mergesFromScores(
  vocab: Readonly<Record<string, number>>,
  scores: Float32Array,
): [string, string][] {
  const merges: { pair: [string, string]; score: number; left: number; right: number }[] = [];
  for (const [token, id] of Object.entries(vocab)) {
    for (let cut = 1; cut < token.length; cut += 1) {
      const pair: [string, string] = [token.slice(0, cut), token.slice(cut)];
      const [left, right] = [vocab[pair[0]], vocab[pair[1]]];
      if (left === undefined || right === undefined) continue;
      merges.push({ pair, score: scores[id] ?? 0, left, right });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right);
  return merges.map(({ pair }) => pair);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}
