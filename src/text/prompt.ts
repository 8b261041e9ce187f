/**
 * Prompts: history and candidates as tokens, with item slots.
 *
 * After each title may stand a slot: a place whose embedding is later replaced by the projected vector
 * of the item (LLaRA and iLoRA, eq. 6). A slot is a position, not a token: nothing is added to the
 * vocabulary. Titles are encoded once each, with a leading space, so that a title has the same tokens
 * in the history, among the candidates and as the answer. A prompt's ids are therefore those of its pieces one
 * after the other; where a title ends in a sign, encoding the whole text at once could merge it
 * with the comma behind (`!,`). Attributes that a template shows stand around the title as pieces of their own; the
 * answer is the title alone. The wording is a template's; as in the papers, the order of question and list varies
 * between the wordings of one.
 *
 * Titles and attributes are made harmless first: `neutralTitle` says how.
 */
import { mismatch } from '../errors/index.js';
import { attributeTexts, fillGroups, type TextItem } from './item-pattern.js';
import { cutTitle, MAX_TITLE_TOKENS, neutralTitle } from './neutral-title.js';
import type { PromptTemplate } from './prompt-template.js';

/** What a prompt builder needs of a tokenizer. */
export interface TextEncoder {
  /** @param options  a continuation gets no space before its first word; a text of its own may */
  encode(text: string, options?: { isContinuation?: boolean }): number[];
  decode(ids: readonly number[]): string;
  readonly bosId?: number;
}

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
  /** Which wording of the template, from 0. */
  wording: number;
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
  /** As they stand in lists, with attributes. */
  readonly #written: number[][];
  readonly #pieces = new Map<string, number[]>();
  readonly #separator: number[];
  readonly #end: number[];
  /** Longer titles are cut, and attributes that a title leaves no room are left out. No number of long titles makes a prompt too long for the base, if its room is given. */
  readonly maxTitleTokens: number;

  /** @param room  of the base; without it titles may take `MAX_TITLE_TOKENS` */
  constructor(
    readonly encoder: TextEncoder,
    readonly items: readonly TextItem[],
    readonly template: PromptTemplate,
    room?: PromptRoom,
  ) {
    this.#separator = this.#goOn(template.separator);
    this.#end = this.#goOn(template.end);
    this.maxTitleTokens = this.#limit(room);
    this.#shown = [];
    this.#titles = [];
    this.#written = [];
    for (const [id, item] of items.entries()) {
      const { text, tokens } = this.#fit(neutralTitle(item.title, id));
      this.#shown.push(text);
      this.#titles.push(tokens);
      this.#written.push(this.#write(item, { text, tokens }));
    }
  }

  /** Number of wordings; a request's is a number below it. */
  get wordings(): number {
    return this.template.wordings.length;
  }

  build({ history, candidates, hasSlots, wording }: PromptRequest): Prompt {
    const pieces = this.template.wordings[wording];
    if (pieces === undefined) {
      throw mismatch('usage', {
        where: 'PromptBuilder.build(wording)',
        expected: `0 to ${this.wordings - 1}`,
        got: wording,
      });
    }
    const prompt: Prompt = {
      ids: this.encoder.bosId === undefined ? [] : [this.encoder.bosId],
      slots: [],
    };
    for (const [place, piece] of pieces.entries()) {
      if (piece.kind === 'history') this.#appendItems(prompt, history, hasSlots);
      else if (piece.kind === 'candidates') this.#appendItems(prompt, candidates, hasSlots);
      else prompt.ids.push(...this.#piece(counted(piece.text, candidates.length), place === 0));
    }
    return prompt;
  }

  /** Tokens of an item's title as the answer, the template's end included. */
  answer(item: number): number[] {
    return [...this.#title(item), ...this.#end];
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
    return this.#end[0] as number;
  }

  #appendItems(prompt: Prompt, items: readonly number[], hasSlots: boolean): void {
    for (const [i, item] of items.entries()) {
      if (i > 0) prompt.ids.push(...this.#separator);
      prompt.ids.push(...this.#known(this.#written, item));
      if (!hasSlots) continue;
      prompt.slots.push({ position: prompt.ids.length, item });
      prompt.ids.push(this.#separator[0] as number); // any token: its embedding is replaced
    }
  }

  #title(item: number): number[] {
    return this.#known(this.#titles, item);
  }

  #known(texts: readonly number[][], item: number): number[] {
    const tokens = texts[item];
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

  /** What is left to a title when the wording, a separator and a slot per title and the line's end are in. */
  #limit(room: PromptRoom | undefined): number {
    if (room === undefined) return MAX_TITLE_TOKENS;
    const wordings = this.template.wordings.map((pieces) =>
      pieces.reduce((total, piece) => {
        if (piece.kind !== 'text') return total;
        return total + this.#goOn(counted(piece.text, room.titles)).length;
      }, 0),
    );
    const start = 2; // the token a text starts with, and a space some tokenizers put before its first word
    const fixed = start + Math.max(...wordings) + this.#end.length;
    const perTitle = this.#separator.length + 1;
    const left = Math.floor((room.positions - fixed) / room.titles) - perTitle;
    return Math.max(MIN_TITLE_TOKENS, Math.min(MAX_TITLE_TOKENS, left));
  }

  /** The longest beginning of a title that takes no more tokens than a title may. */
  #fit(title: string): { text: string; tokens: number[] } {
    const cut = (characters: number) => {
      const text = cutTitle(title, characters);
      return { text, tokens: this.#goOn(this.template.lead + text) };
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
  /** An item as it stands in lists: attributes give way, the last one first, where the title leaves no room. */
  #write(item: TextItem, title: { text: string; tokens: number[] }): number[] {
    const { lead, item: pattern } = this.template;
    if (pattern.before.length + pattern.after.length === 0) return title.tokens;
    const values = attributeTexts(item.attributes, pattern.attributes);
    for (const name of [...pattern.attributes.toReversed(), undefined]) {
      const before = fillGroups(pattern.before, values);
      const after = fillGroups(pattern.after, values);
      const gap = before.endsWith(' ') ? ' ' : '';
      const tokens = [
        ...(before === '' ? title.tokens : this.#goOn(lead + before.trimEnd())),
        ...(before === '' ? [] : this.#goOn(gap + title.text)),
        ...(after === '' ? [] : this.#goOn(after)),
      ];
      if (tokens.length <= this.maxTitleTokens) return tokens;
      if (name !== undefined) values.delete(name);
    }
    return title.tokens;
  }
}

/** A text of a wording with the number of candidates in it. */
function counted(text: string, count: number): string {
  return text.replaceAll('{count}', String(count));
}
