/**
 * Text to token ids and back, over `@huggingface/tokenizers`.
 *
 * Titles are hostile input: a special token spelled out in a text is ordinary text. The library
 * therefore never sees the special tokens; they are put in by id (`specialId`) where a prompt needs
 * them.
 */
import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { mismatch } from '../errors/index.js';
import { readText } from '../files/index.js';
import {
  END_TOKENS,
  type Metadata,
  readGgufTokenizer,
  type TokenizerParts,
} from './gguf-tokenizer.js';
import { dropMissingBytes, type LibraryDecoder, repairByteFallback } from './library-repair.js';
import {
  checkTokenizerJson,
  isObject,
  readFrame,
  repairPreTokenizer,
  takeSpacePrefix,
} from './tokenizer-json.js';

/** Where a tokenizer is read from. */
export type TokenizerOrigin =
  | { kind: 'json'; tokenizerJson: string; configJson?: string }
  | { kind: 'gguf'; path: string; metadata: Metadata }
  | { kind: 'none'; path: string };

export interface EncodeOptions {
  /** Whether to add the tokens the model expects around a text, such as `<s>`; not by default. */
  addSpecial?: boolean;
  /** Whether the text goes on from another: then no space is put before its first word. */
  isContinuation?: boolean;
}

/** Opens the tokenizer that belongs to a model. */
export function openTokenizer(origin: TokenizerOrigin): Tokenizer {
  if (origin.kind === 'gguf')
    return new Tokenizer(readGgufTokenizer(origin.metadata, origin.path), origin.path);
  if (origin.kind === 'json')
    return new Tokenizer(readTokenizerFiles(origin), origin.tokenizerJson);
  throw mismatch('file', {
    where: origin.path,
    expected: 'a tokenizer.json',
    got: undefined,
    hint: 'convert tokenizer.model with transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...)',
  });
}

/** What we use of the library; its own declarations do not resolve under Node's rules. */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(ids: readonly number[]): string;
  decoder: LibraryDecoder | null;
}

/** Turns texts into ids and ids into texts. */
export class Tokenizer {
  /** The id that every text starts with, where the model was trained so; SmolLM2 was not. */
  readonly bosId: number | undefined;
  /** The ids at which generated text ends. */
  readonly eosIds: readonly number[];
  /** V: one more than the largest id. */
  readonly vocabSize: number;
  readonly #parts: TokenizerParts;
  readonly #library: Library;
  readonly #specialIds: ReadonlyMap<string, number>;
  /** Ids that have a text; a vocabulary may have gaps. */
  readonly #spelled: ReadonlySet<number>;

  /** @param where  file named in errors */
  constructor(
    parts: TokenizerParts,
    private readonly where: string,
  ) {
    this.#parts = parts;
    this.bosId = parts.before[0];
    this.eosIds = parts.eosIds;
    this.vocabSize = parts.vocabSize;
    this.#spelled = new Set([
      ...Object.values(parts.json.model.vocab),
      ...parts.json.added_tokens.map(({ id }) => id),
    ]);
    this.#specialIds = new Map([...parts.specials].map(([id, text]) => [text, id]));
    this.#library = this.#guard(
      () =>
        new LibraryTokenizer(dropMissingBytes(parts.json), { clean_up_tokenization_spaces: false }),
    );
    repairByteFallback(this.#library.decoder);
  }

  /**
   * Ids of a text; special tokens spelled out in it are ordinary text, and halves of surrogate pairs count as
   * U+FFFD.
   */
  encode(
    text: string,
    { addSpecial = false, isContinuation = false }: EncodeOptions = {},
  ): number[] {
    const ids = text === '' ? [] : this.#plainIds(isContinuation ? text : this.#prefixed(text));
    return addSpecial ? [...this.#parts.before, ...ids, ...this.#parts.after] : ids;
  }

  /**
   * The text of ids.
   * @param keepSpecial  whether special tokens appear in it by name; not by default
   * @throws IloraError of code `data` for ids beyond the vocabulary
   */
  decode(ids: readonly number[], { keepSpecial = false }: { keepSpecial?: boolean } = {}): string {
    const runs: (number[] | string)[] = [];
    for (const id of ids) {
      this.#checkId(id);
      const special = this.#parts.specials.get(id);
      const last = runs.at(-1);
      if (special !== undefined) {
        if (keepSpecial) runs.push(special);
      } else if (typeof last === 'object') last.push(id);
      else runs.push([id]);
    }
    return runs
      .map((run) => (typeof run === 'string' ? run : this.#guard(() => this.#library.decode(run))))
      .join('');
  }

  /** Whether the tokenizer has a special token of this name. */
  hasSpecial(name: string): boolean {
    return this.#specialIds.has(name);
  }

  /** Id of a special token such as `<|im_end|>`. @throws IloraError of code `data` without one */
  specialId(name: string): number {
    const id = this.#specialIds.get(name);
    if (id !== undefined) return id;
    const known = [...this.#specialIds.keys()].slice(0, 8).join(' ');
    throw mismatch('data', { where: 'specialId', expected: `one of ${known} ...`, got: name });
  }

  #plainIds(text: string): number[] {
    const paired = text.replace(/\p{Surrogate}/gu, '\ufffd');
    const { ids } = this.#guard(() => this.#library.encode(paired, { add_special_tokens: false }));
    if (ids.every((id) => id !== undefined)) return ids;
    throw mismatch('data', {
      where: 'Tokenizer.encode(text)',
      expected: 'characters that the vocabulary holds',
      got: text,
    });
  }

  /** What the library cannot do is the file's fault: a pattern that is none, parts that misfit. */
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw mismatch(
        'format',
        { where: this.where, expected: 'a tokenizer that works', got: error },
        error,
      );
    }
  }

  #prefixed(text: string): string {
    const { prefix } = this.#parts;
    if (prefix === 'never') return text;
    return prefix === 'unless-spaced' && /^[ ▁]/.test(text) ? text : ` ${text}`;
  }

  #checkId(id: number): void {
    if (this.#spelled.has(id) || this.#parts.specials.has(id)) return;
    throw mismatch('data', {
      where: 'Tokenizer.decode(ids)',
      expected: `ids from 0 to ${this.vocabSize - 1} that have a text`,
      got: id,
    });
  }
}

/** Reads tokenizer.json and, where there is one, tokenizer_config.json. */
function readTokenizerFiles({
  tokenizerJson,
  configJson,
}: {
  tokenizerJson: string;
  configJson?: string;
}): TokenizerParts {
  const given = checkTokenizerJson(readJson(tokenizerJson), tokenizerJson);
  const config = configJson === undefined ? {} : readJson(configJson);
  const { json, prefix } = takeSpacePrefix(given);
  const { vocab, unk_token: unknown } = json.model;
  const specials = new Map<number, string>();
  for (const { id, content } of json.added_tokens)
    if (content.trim() !== '') specials.set(id, content);
  const idOf = (content: unknown): number | undefined => {
    const text = isObject(content) ? content.content : content;
    const added = json.added_tokens.find((token) => token.content === text);
    return (
      added?.id ??
      (typeof text === 'string' && Object.hasOwn(vocab, text) ? vocab[text] : undefined)
    );
  };
  const needId = (name: string): number => {
    const id = idOf(name);
    if (id !== undefined) return id;
    throw mismatch('format', { where: tokenizerJson, expected: 'a known token', got: name });
  };
  const frame = readFrame(json.post_processor);
  const { bos_token: bos, eos_token: eos } = isObject(config) ? config : {};
  const ends = [...specials].filter(([, text]) => END_TOKENS.includes(text)).map(([id]) => id);
  const eosId = idOf(eos);
  const names = new Set(specials.values());
  const ids = [...Object.values(vocab), ...json.added_tokens.map(({ id }) => id)];
  return {
    json: {
      ...json,
      // White space is all that a text may spell of the added tokens.
      added_tokens: json.added_tokens.filter(({ content }) => content.trim() === ''),
      pre_tokenizer: repairPreTokenizer(json.pre_tokenizer, tokenizerJson),
      post_processor: null,
      model: {
        ...json.model,
        vocab: withoutKeys(vocab, new Set([...names].filter((name) => name !== unknown))),
        merges: json.model.merges.filter(
          (merge) =>
            !names.has(typeof merge === 'string' ? merge.replace(' ', '') : merge.join('')),
        ),
      },
    },
    prefix,
    specials,
    before: startOf(frame.before.map(needId), idOf(bos), config),
    after: frame.after.map(needId),
    eosIds: [...new Set([...(eosId === undefined ? [] : [eosId]), ...ends])],
    vocabSize: ids.reduce((most, id) => Math.max(most, id), -1) + 1,
  };
}

/** `add_bos_token` in tokenizer_config.json outranks the template, as in transformers. */
function startOf(
  before: readonly number[],
  bosId: number | undefined,
  config: unknown,
): readonly number[] {
  const flag = isObject(config) ? config.add_bos_token : undefined;
  if (bosId === undefined || typeof flag !== 'boolean') return before;
  if (flag) return before.includes(bosId) ? before : [bosId, ...before];
  return before.filter((id) => id !== bosId);
}

function withoutKeys(
  vocab: Readonly<Record<string, number>>,
  dropped: ReadonlySet<string>,
): Record<string, number> {
  const kept: Record<string, number> = Object.create(null);
  for (const [token, id] of Object.entries(vocab)) if (!dropped.has(token)) kept[token] = id;
  return kept;
}

function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw mismatch('format', { where: path, expected: 'JSON', got: error }, error);
  }
}
