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
import type { Random } from './random.js';
import { titleKey } from './title.js';
import type { Catalog } from './types.js';

/** Draws candidates from a catalog. */
export class CandidateSampler {
  /** Number of the title of each item; items with one title share it. */
  private readonly titleOf: Int32Array;

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
  }

  /**
   * The target and `count - 1` negatives in random order.
   *
   * @throws IloraError `data` if the catalog has too few items with titles of their own
   */
  draw(history: ArrayLike<number>, target: number, random: Random): number[] {
    const picked = [target];
    const titles = [this.titleOf[target]!];
    const excluded = new Set(Array.from(history)).add(target);
    const take = (item: number): void => {
      const title = this.titleOf[item]!;
      if (excluded.has(item) || titles.includes(title)) return;
      picked.push(item);
      titles.push(title);
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
    const seen = new Set<number>();
    const titles = new Set<number>();
    const shown = new Set(Array.from(history));
    for (const item of candidates) {
      if (!Number.isInteger(item) || item < 0 || item >= this.catalog.size)
        return `expected item ids in [0, ${this.catalog.size}), got ${item}`;
      if (seen.has(item)) return `expected different items, got ${item} twice`;
      if (titles.has(this.titleOf[item]!))
        return `expected different titles, got "${this.catalog.items[item]!.title}" twice`;
      if (item !== target && shown.has(item))
        return `expected negatives outside the history, got ${item}`;
      seen.add(item);
      titles.add(this.titleOf[item]!);
    }
    return seen.has(target) ? null : `expected the target ${target} among them, got none`;
  }
}
