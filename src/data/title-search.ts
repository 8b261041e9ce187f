/**
 * Finds the item a person means by a title typed from memory.
 *
 * Case, accents, punctuation, a year and the place of an article do not matter; a unique beginning or part is
 * enough; small slips of spelling are forgiven. What several items could be is shown, not guessed. Titles of signs only
 * are found as they are written.
 */
import { distance } from 'fastest-levenshtein';
import { tidyTitle } from './title.js';
import type { Item } from './types.js';

/** What became of one typed title. */
export interface TitleMatch {
  query: string;
  /** `exact`: the title itself; `close`: forgiven differences; `ambiguous`: several items; `unknown`: none. */
  kind: 'exact' | 'close' | 'ambiguous' | 'unknown';
  /** The item for `exact` and `close`; all it could be for `ambiguous`; the nearest few for `unknown`. */
  items: Item[];
}

const MAX_SHOWN = 5;

/** An index over a catalog's titles. */
export class TitleSearch {
  readonly #keys: { item: Item; key: string }[];

  constructor(items: readonly Item[]) {
    this.#keys = items.map((item) => ({ item, key: looseKey(item.title) }));
  }

  find(query: string): TitleMatch {
    const typed = tidyTitle(query);
    const identical = this.#keys.filter(
      ({ item }) => item.title === typed || item.sourceTitle === typed,
    );
    if (identical.length === 1) return { query, kind: 'exact', items: [identical[0]!.item] };
    const wanted = looseKey(query);
    if (wanted === '') return { query, kind: 'unknown', items: [] };
    const same = this.#where((key) => key === wanted);
    if (same.length === 1) {
      const isExact = same[0]?.title.toLowerCase() === query.trim().toLowerCase();
      return { query, kind: isExact ? 'exact' : 'close', items: same };
    }
    if (same.length > 1) return { query, kind: 'ambiguous', items: same };
    for (const test of [
      (key: string) => key.startsWith(`${wanted} `),
      (key: string) => ` ${key} `.includes(` ${wanted} `),
    ]) {
      const found = this.#where(test);
      if (found.length === 1) return { query, kind: 'close', items: found };
      if (found.length > 1) return { query, kind: 'ambiguous', items: found.slice(0, MAX_SHOWN) };
    }
    return this.#bySpelling(query, wanted);
  }

  #bySpelling(query: string, wanted: string): TitleMatch {
    const ranked = this.#keys
      .map(({ item, key }) => ({ item, slips: distance(key, wanted) }))
      .sort((a, b) => a.slips - b.slips || a.item.id - b.item.id);
    const best = ranked[0]?.slips ?? Number.POSITIVE_INFINITY;
    const nearest = ranked.filter(({ slips }) => slips === best);
    if (best <= Math.floor(wanted.length / 5)) {
      const items = nearest.slice(0, MAX_SHOWN).map(({ item }) => item);
      return { query, kind: items.length === 1 ? 'close' : 'ambiguous', items };
    }
    const near = ranked.slice(0, 3).filter(({ slips }) => slips <= wanted.length / 2);
    return { query, kind: 'unknown', items: near.map(({ item }) => item) };
  }

  #where(test: (key: string) => boolean): Item[] {
    return this.#keys.filter(({ key }) => test(key)).map(({ item }) => item);
  }
}

/** Lower case, no accents, no punctuation, no year, article in front. */
function looseKey(title: string): string {
  const plain = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const moved = plain.replace(/\s*\(\d{4}\)/g, '').replace(/^(.+), (the|a|an)$/, '$2 $1');
  return moved.replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
}
