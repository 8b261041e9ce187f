/**
 * Keys and values of what was read of a user's history, for a user who returns.
 *
 * A position's keys and values depend on the items up to it alone. So a history that goes on from one that was read
 * costs its new positions only, and nothing is approximated. A history that is another, or whose reading starts at a
 * later item by now (`readFrom`), is read anew.
 */
import { KvCache } from '../../../llama/index.js';

export class StreamMemory {
  #cache = new KvCache();
  #items: readonly number[] = [];

  /** How many items of what is to be read are known; at least the last one is always read. */
  known(read: readonly number[]): number {
    const isGoneOn =
      this.#items.length < read.length && this.#items.every((item, i) => read[i] === item);
    return isGoneOn ? this.#items.length : 0;
  }

  /** What is known of the first items; the cache may be added to. */
  recall(items: number): { cache: KvCache; items: number } {
    return { cache: items === 0 ? new KvCache() : this.#cache.upTo(this.#cache.length), items };
  }

  /** Takes a copy of a cache in place of what was here. */
  remember(cache: KvCache, read: readonly number[]): void {
    const kept = cache.copy();
    this.dispose();
    this.#cache = kept;
    this.#items = [...read];
  }

  /** Frees the tensors; it can be used again, empty. */
  dispose(): void {
    this.#cache.dispose();
    this.#cache = new KvCache();
    this.#items = [];
  }
}
