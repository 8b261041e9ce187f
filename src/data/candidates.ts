/**
 * Candidates of a row: its target and negatives, shuffled.
 *
 * Negatives are uniform over the items that are neither the target nor in the history shown, as in
 * the papers: an item the user met before the history shown may be drawn. Differs: no two candidates
 * have the same title (letter case aside), because an answer could not be told apart. Titles that
 * contain one another, such as `Alien` and `Aliens`, may still meet; scoring does not mind, title
 * matching must take the longest.
 */
import { mismatch } from '../errors/index.js';
import type { Random } from '../random/index.js';
import { titleKey } from './title.js';
import type { Catalog } from './types.js';

/** Draws candidates from a catalog. */
export class CandidateSampler {
  /** Number of the title of each item; items with one title share it. */
  private readonly titleOf: Int32Array;
  /** Number of the draw that last took or excluded an item, or took a title; spares a set per draw. */
  private readonly itemDraw: Float64Array;
  private readonly titleDraw: Float64Array;
  /** No two items have one title, so that looking at items will do. */
  private readonly areTitlesUnique: boolean;
  private draws = 0;

  /**
   * @param count  candidates per row, the target included; at least 2
   */
  constructor(
    private readonly catalog: Catalog,
    readonly count: number,
  ) {
    const numbers = new Map<string, number>();
    this.titleOf = Int32Array.from(catalog.items, (item) => {
      const key = titleKey(item.title);
      const known = numbers.get(key) ?? numbers.size;
      numbers.set(key, known);
      return known;
    });
    this.itemDraw = new Float64Array(catalog.size);
    this.titleDraw = new Float64Array(numbers.size);
    this.areTitlesUnique = numbers.size === catalog.size;
  }

  /**
   * The target and `count - 1` negatives in random order.
   *
   * @throws IloraError `data` if the catalog has too few items with titles of their own
   */
  draw(history: ArrayLike<number>, target: number, random: Random): number[] {
    const picked = [target];
    const draw = ++this.draws;
    const { itemDraw, titleDraw, titleOf, areTitlesUnique } = this;
    for (let i = 0; i < history.length; i++) itemDraw[history[i]!] = draw;
    itemDraw[target] = draw;
    titleDraw[titleOf[target]!] = draw;
    const take = (item: number): void => {
      if (itemDraw[item] === draw) return;
      itemDraw[item] = draw;
      if (!areTitlesUnique) {
        const title = titleOf[item]!;
        if (titleDraw[title] === draw) return;
        titleDraw[title] = draw;
      }
      picked.push(item);
    };
    const isShort = (): boolean => picked.length < this.count;
    for (let tries = 64 * this.count; isShort() && tries > 0; tries--)
      take(random.int(this.catalog.size));
    // In a small catalog most draws hit what is taken; then go through all items in random order.
    if (isShort()) {
      for (const item of random.permutation(this.catalog.size)) {
        if (!isShort()) break;
        take(item);
      }
    }
    if (isShort())
      throw mismatch('data', {
        where: 'candidates',
        expected: `${this.count} items with different titles outside the history`,
        got: picked.length,
        hint: 'ask for fewer candidates per row',
      });
    return random.shuffle(picked);
  }

  /**
   * What is wrong with a stored list of candidates; null if nothing is.
   */
  fault(candidates: readonly number[], history: ArrayLike<number>, target: number): string | null {
    if (candidates.length !== this.count)
      return `expected ${this.count} candidates, got ${candidates.length}`;
    const draw = ++this.draws;
    const { itemDraw, titleDraw, titleOf, catalog } = this;
    for (const item of candidates) {
      if (!Number.isInteger(item) || item < 0 || item >= catalog.size)
        return `expected item ids in [0, ${catalog.size}), got ${item}`;
      if (itemDraw[item] === draw) return `expected different items, got ${item} twice`;
      if (titleDraw[titleOf[item]!] === draw)
        return `expected different titles, got "${catalog.items[item]!.title}" twice`;
      if (item !== target && includes(history, item))
        return `expected negatives outside the history, got ${item}`;
      itemDraw[item] = draw;
      titleDraw[titleOf[item]!] = draw;
    }
    return itemDraw[target] === draw ? null : `expected the target ${target} among them, got none`;
  }
}

function includes(values: ArrayLike<number>, value: number): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] === value) return true;
  return false;
}
