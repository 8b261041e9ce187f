/**
 * Prompts: history and candidates as tokens, with item slots.
 *
 * After each title may stand a slot: a place whose embedding is later replaced by the projected vector
 * of the item (LLaRA and iLoRA, eq. 6). A slot is a position, not a token: nothing is added to the
 * vocabulary. Titles are encoded once each, with a leading space, so that a title has the same tokens
 * in the history, among the candidates and as the answer. The wording is ours; as in the papers,
 * the order of question and list varies between templates.
 */
import { mismatch } from '../errors/index.js';

/** What a prompt builder needs of a tokenizer. */
export interface TextEncoder {
  encode(text: string): number[];
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

/** Builds prompts over one catalog. */
export class PromptBuilder {
  readonly #titles: number[][];
  readonly #pieces = new Map<string, number[]>();
  readonly #comma: number[];
  readonly #newline: number[];
  readonly #words: Words;

  constructor(
    readonly encoder: TextEncoder,
    titles: readonly string[],
    domain: PromptDomain,
  ) {
    this.#words = WORDS[domain];
    this.#titles = titles.map((title) => encoder.encode(` ${title}`));
    this.#comma = encoder.encode(',');
    this.#newline = encoder.encode('\n');
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
    for (const piece of pieces(this.#words, candidates.length)) {
      if (piece === 'HISTORY') this.#appendItems(prompt, history, hasSlots);
      else if (piece === 'CANDIDATES') this.#appendItems(prompt, candidates, hasSlots);
      else prompt.ids.push(...this.#piece(piece));
    }
    return prompt;
  }

  /** Tokens of an item's title as the answer, newline included. */
  answer(item: number): number[] {
    return [...this.#title(item), ...this.#newline];
  }

  /** Text of generated tokens: the first line, without spaces around it. */
  read(tokens: readonly number[]): string {
    return (this.encoder.decode(tokens).split('\n')[0] ?? '').trim();
  }

  /** Whether a token ends an answer. */
  isEnd(token: number): boolean {
    return token === this.#newline[0];
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

  #piece(text: string): number[] {
    const known = this.#pieces.get(text);
    if (known !== undefined) return known;
    const tokens = this.encoder.encode(text);
    this.#pieces.set(text, tokens);
    return tokens;
  }
}
