/**
 * Prompts: history and candidates as tokens, with item slots.
 *
 * After each title may stand a slot: a place whose embedding is later replaced by the projected vector
 * of the item (LLaRA and iLoRA, eq. 6). A slot is a position, not a token: nothing is added to the
 * vocabulary. Titles are encoded once each, with a leading space, so that a title has the same tokens
 * in the history, among the candidates and as the answer. A prompt's ids are therefore those of its pieces one
 * after the other; where a title ends in a sign, encoding the whole text at once could merge it
 * with the comma behind (`!,`). The wording is ours; as in the papers, the order of question and list varies
 * between templates.
 *
 * Titles are made harmless first: `neutralTitle` says how.
 */
import { mismatch } from '../errors/index.js';
import { cutTitle, MAX_TITLE_TOKENS, neutralTitle } from './neutral-title.js';

/** What a prompt builder needs of a tokenizer. */
export interface TextEncoder {
  /** @param options  a continuation gets no space before its first word; a text of its own may */
  encode(text: string, options?: { isContinuation?: boolean }): number[];
  decode(ids: readonly number[]): string;
  readonly bosId?: number;
}

/** What the items are, for the wording. */
export type PromptDomain = 'movie' | 'game' | 'artist' | 'item';

const WORDS: Record<PromptDomain, { plural: string; singular: string; past: string }> = {
  movie: { plural: 'movies', singular: 'movie', past: 'watched' },
  game: { plural: 'games', singular: 'game', past: 'played' },
  artist: { plural: 'artists', singular: 'artist', past: 'listened to' },
  item: { plural: 'items', singular: 'item', past: 'chosen' },
};

type Words = (typeof WORDS)[PromptDomain];

/** Pieces of text around HISTORY and CANDIDATES; the answer's title follows the last piece. */
const TEMPLATES: readonly ((
  words: Words,
  count: number,
) => readonly (string | 'HISTORY' | 'CANDIDATES')[])[] = [
  ({ plural, singular, past }, count) => [
    `A user has ${past} these ${plural}, oldest first:`,
    'HISTORY',
    `.\nOne of these ${count} ${plural} comes next:`,
    'CANDIDATES',
    `.\nNext ${singular}:`,
  ],
  ({ plural, singular, past }, count) => [
    `Choose the next ${singular} for a user out of ${count} candidates:`,
    'CANDIDATES',
    `.\nSo far the user has ${past}:`,
    'HISTORY',
    `.\nThe best choice among the ${plural} is:`,
  ],
  ({ plural, singular, past }) => [
    `History of ${plural} a user has ${past}:`,
    'HISTORY',
    `.\nCandidates:`,
    'CANDIDATES',
    `.\nWhich ${singular} will the user pick next? Answer:`,
  ],
];

/** Number of wordings; a template is a number below it. */
export const TEMPLATE_COUNT = TEMPLATES.length;

/** A prompt as tokens. */
export interface Prompt {
  ids: number[];
  /** Places of `ids` that stand for an item's vector. */
  slots: { position: number; item: number }[];
}

export interface PromptRequest {
  history: readonly number[];
  candidates: readonly number[];
  /** Whether titles are followed by slots. */
  hasSlots: boolean;
  /** Which wording, from 0. */
  template: number;
}

/** What a base can hold of a prompt with its answer. */
export interface PromptRoom {
  /** Positions the base was trained on. */
  positions: number;
  /** Titles of the longest history and of the candidates, and the answer. */
  titles: number;
}

/** Fewer tokens than these say nothing of a title. */
const MIN_TITLE_TOKENS = 8;

/** Builds prompts over one catalog. */
export class PromptBuilder {
  readonly #shown: string[];
  readonly #titles: number[][];
  readonly #pieces = new Map<string, number[]>();
  readonly #comma: number[];
  readonly #newline: number[];
  readonly #words: Words;
  /** Longer titles are cut. No number of long titles makes a prompt too long for the base, if its room is given. */
  readonly maxTitleTokens: number;

  /** @param room  of the base; without it titles may take `MAX_TITLE_TOKENS` */
  constructor(
    readonly encoder: TextEncoder,
    titles: readonly string[],
    readonly domain: PromptDomain,
    room?: PromptRoom,
  ) {
    this.#words = WORDS[domain];
    this.#comma = this.#goOn(',');
    this.#newline = this.#goOn('\n');
    this.maxTitleTokens = this.#limit(room);
    this.#shown = [];
    this.#titles = [];
    for (const [item, title] of titles.entries()) {
      const { text, tokens } = this.#fit(neutralTitle(title, item));
      this.#shown.push(text);
      this.#titles.push(tokens);
    }
  }

  build({ history, candidates, hasSlots, template }: PromptRequest): Prompt {
    const pieces = TEMPLATES[template];
    if (pieces === undefined) {
      throw mismatch('usage', {
        where: 'PromptBuilder.build(template)',
        expected: `0 to ${TEMPLATE_COUNT - 1}`,
        got: template,
      });
    }
    const prompt: Prompt = {
      ids: this.encoder.bosId === undefined ? [] : [this.encoder.bosId],
      slots: [],
    };
    for (const [place, piece] of pieces(this.#words, candidates.length).entries()) {
      if (piece === 'HISTORY') this.#appendItems(prompt, history, hasSlots);
      else if (piece === 'CANDIDATES') this.#appendItems(prompt, candidates, hasSlots);
      else prompt.ids.push(...this.#piece(piece, place === 0));
    }
    return prompt;
  }

  /** Tokens of an item's title as the answer, newline included. */
  answer(item: number): number[] {
    return [...this.#title(item), ...this.#newline];
  }

  /** An item's title as the model sees it, and as its answers are to be compared with. */
  titleOf(item: number): string {
    this.#title(item);
    return this.#shown[item] as string;
  }

  /** Text of generated tokens: the first line, without spaces around it. */
  read(tokens: readonly number[]): string {
    return (this.encoder.decode(tokens).split('\n')[0] ?? '').trim();
  }

  /** The token that ends an answer. */
  get end(): number {
    return this.#newline[0] as number;
  }

  #appendItems(prompt: Prompt, items: readonly number[], hasSlots: boolean): void {
    for (const [i, item] of items.entries()) {
      if (i > 0) prompt.ids.push(...this.#comma);
      prompt.ids.push(...this.#title(item));
      if (!hasSlots) continue;
      prompt.slots.push({ position: prompt.ids.length, item });
      prompt.ids.push(this.#comma[0] as number); // any token: its embedding is replaced
    }
  }

  #title(item: number): number[] {
    const tokens = this.#titles[item];
    if (tokens === undefined) {
      throw mismatch('data', {
        where: 'PromptBuilder',
        expected: `an item below ${this.#titles.length}`,
        got: item,
      });
    }
    return tokens;
  }

  /** Pieces of the wording; the first begins a text. */
  #piece(text: string, isFirst: boolean): number[] {
    if (isFirst) return this.encoder.encode(text);
    const known = this.#pieces.get(text);
    if (known !== undefined) return known;
    const tokens = this.#goOn(text);
    this.#pieces.set(text, tokens);
    return tokens;
  }

  #goOn(text: string): number[] {
    return this.encoder.encode(text, { isContinuation: true });
  }

  /** What is left to a title when the wording, a comma and a slot per title and the line's end are in. */
  #limit(room: PromptRoom | undefined): number {
    if (room === undefined) return MAX_TITLE_TOKENS;
    const wordings = TEMPLATES.map((template) =>
      template(this.#words, room.titles)
        .filter((piece) => piece !== 'HISTORY' && piece !== 'CANDIDATES')
        .reduce((total, piece) => total + this.#goOn(piece).length, 0),
    );
    const start = 2; // the token a text starts with, and a space some tokenizers put before its first word
    const fixed = start + Math.max(...wordings) + this.#newline.length;
    const perTitle = this.#comma.length + 1;
    const left = Math.floor((room.positions - fixed) / room.titles) - perTitle;
    return Math.max(MIN_TITLE_TOKENS, Math.min(MAX_TITLE_TOKENS, left));
  }

  /** The longest beginning of a title that takes no more tokens than a title may. */
  #fit(title: string): { text: string; tokens: number[] } {
    const cut = (characters: number) => {
      const text = cutTitle(title, characters);
      return { text, tokens: this.#goOn(` ${text}`) };
    };
    const { length } = [...title];
    let [fits, tooMany] = [1, length + 1];
    let best = cut(length);
    if (best.tokens.length <= this.maxTitleTokens) return best;
    best = cut(fits);
    while (tooMany - fits > 1) {
      const middle = (fits + tooMany) >> 1;
      const made = cut(middle);
      if (made.tokens.length > this.maxTitleTokens) tooMany = middle;
      else [fits, best] = [middle, made];
    }
    return best;
  }
}
