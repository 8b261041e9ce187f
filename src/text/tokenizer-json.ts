/**
 * The parts of a tokenizer.json that we read or rewrite before the library sees them.
 *
 * @see https://huggingface.co/docs/tokenizers/components
 */
import { mismatch } from '../errors/index.js';
import { checkModel, checkPart } from './tokenizer-check.js';

/** A part of the pipeline: its type and settings. */
export interface Component {
  type: string;
  [setting: string]: unknown;
}

/** A token beside the model's own vocabulary. */
export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
  [setting: string]: unknown;
}

/** What a tokenizer.json holds. */
export interface TokenizerJson {
  added_tokens: AddedToken[];
  normalizer: Component | null;
  pre_tokenizer: Component | null;
  post_processor: Component | null;
  decoder: Component | null;
  model: Component & {
    vocab: Record<string, number>;
    merges: readonly (string | readonly [string, string])[];
    unk_token?: string | null;
  };
}

/** When a space is put before a text, so that its first word looks like one inside a sentence. */
export type SpacePrefix = 'never' | 'always' | 'unless-spaced';

/** GPT-2's split of text into words, as the Rust library applies it. */
export const GPT2_PATTERN =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** A split that keeps the matches as pieces of their own. */
export function splitAt(pattern: string): Component {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

/** Bytes to printable characters, without any split. */
export function byteLevel(): Component {
  return { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
}

/** Checks the parts we rely on. @throws IloraError of code `format` */
export function checkTokenizerJson(value: unknown, where: string): TokenizerJson {
  const fail = (expected: string, got: unknown) => mismatch('format', { where, expected, got });
  if (!isObject(value)) throw fail('an object', value);
  const { model } = value;
  if (!isObject(model)) throw fail('a model', model);
  if ((model.type ?? 'BPE') !== 'BPE') throw fail('a model of type BPE', model.type);
  if (!isObject(model.vocab) || !Array.isArray(model.merges))
    throw fail('a model with vocab and merges', Object.keys(model));
  for (const [token, id] of Object.entries(model.vocab))
    if (!isId(id))
      throw mismatch('format', {
        where: `${where}: model.vocab[${JSON.stringify(token)}]`,
        expected: `a whole number from 0 to ${MAX_ID}`,
        got: id,
      });
  checkModel(model, model.merges, where);
  for (const part of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'])
    checkPart(part, value[part], where);
  const added = value.added_tokens ?? [];
  if (!Array.isArray(added)) throw fail('a list added_tokens', added);
  for (const token of added)
    if (!isObject(token) || !isId(token.id) || typeof token.content !== 'string')
      throw fail('added tokens with id and content', token);
  return {
    added_tokens: added as AddedToken[],
    normalizer: literalReplacements(value.normalizer, 'normalizers'),
    pre_tokenizer: literalReplacements(value.pre_tokenizer, 'pretokenizers'),
    post_processor: (value.post_processor ?? null) as Component | null,
    decoder: literalReplacements(value.decoder, 'decoders'),
    // Without a type the library would take it for another kind of model.
    model: { ...(model as TokenizerJson['model']), type: 'BPE' },
  };
}

/** The library hands replacements to JavaScript, for which `$&` is what was matched; in Rust it is text. */
function literalReplacements(part: unknown, listKey: string): Component | null {
  return without((part ?? null) as Component | null, listKey, (leaf) =>
    leaf.type === 'Replace' && typeof leaf.content === 'string'
      ? { ...leaf, content: leaf.content.replaceAll('$', '$$$$') }
      : leaf,
  );
}

/** Ids beyond this could not be in a table of embeddings. */
const MAX_ID = 2 ** 31 - 1;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ID;
}

/**
 * Rewrites the pre-tokenizer where the JavaScript library splits otherwise than the Rust one:
 * `Digits` knows only 0-9, and GPT-2's pattern uses JavaScript's idea of white space. The library
 * translates the patterns of `Split` properly, so both become that.
 */
export function repairPreTokenizer(part: Component | null, where: string): Component | null {
  if (part === null) return null;
  if (part.type === 'Sequence') {
    const parts = (part.pretokenizers as Component[]).map((each) =>
      repairPreTokenizer(each, where),
    );
    return { ...part, pretokenizers: parts };
  }
  if (part.type === 'Digits') return splitAt(part.individual_digits ? '\\p{N}' : '\\p{N}+');
  if (part.type === 'ByteLevel' && part.use_regex !== false && part.add_prefix_space !== true)
    return { type: 'Sequence', pretokenizers: [splitAt(GPT2_PATTERN), byteLevel()] };
  if (part.type === 'Split' && !['Isolated', 'Removed'].includes(String(part.behavior)))
    throw mismatch('format', {
      where: `${where}: pre_tokenizer`,
      expected: 'a split of behavior Isolated or Removed',
      got: part.behavior,
    });
  return part;
}

/**
 * Takes the space put before a text out of the pipeline, so that a text can also be encoded as the
 * continuation of another.
 */
export function takeSpacePrefix(json: TokenizerJson): { json: TokenizerJson; prefix: SpacePrefix } {
  let prefix: SpacePrefix = 'never';
  const normalizer = without(json.normalizer, 'normalizers', (part) => {
    if (part.type !== 'Prepend') return part;
    prefix = 'always';
    return null;
  });
  const pre_tokenizer = without(json.pre_tokenizer, 'pretokenizers', (part) => {
    if (part.type === 'ByteLevel' && part.add_prefix_space === true) {
      prefix = 'unless-spaced';
      return { ...part, add_prefix_space: false };
    }
    if (part.type !== 'Metaspace' || part.prepend_scheme === 'never') return part;
    prefix = 'unless-spaced';
    return { ...part, prepend_scheme: 'never' };
  });
  return { json: { ...json, normalizer, pre_tokenizer }, prefix };
}

/** Maps the leaves of a component; null removes one. */
function without(
  part: Component | null,
  listKey: string,
  change: (leaf: Component) => Component | null,
): Component | null {
  if (part === null) return null;
  if (part.type !== 'Sequence') return change(part);
  const leaves = (part[listKey] as Component[]).map((leaf) => without(leaf, listKey, change));
  return { ...part, [listKey]: leaves.filter((leaf) => leaf !== null) };
}

/** Tokens that a template puts around one text. */
export interface Frame {
  before: readonly string[];
  after: readonly string[];
}

/** Reads the tokens around one text from the post-processor. */
export function readFrame(part: Component | null): Frame {
  if (part?.type === 'Sequence') {
    const frames = (part.processors as Component[]).map(readFrame);
    return {
      before: frames.flatMap(({ before }) => before),
      after: frames.flatMap(({ after }) => after),
    };
  }
  const before: string[] = [];
  const after: string[] = [];
  if (part?.type !== 'TemplateProcessing') return { before, after };
  let list = before;
  for (const piece of part.single as Record<string, { id?: string }>[]) {
    if (piece.Sequence !== undefined) list = after;
    else if (piece.SpecialToken?.id !== undefined) list.push(piece.SpecialToken.id);
  }
  return { before, after };
}
