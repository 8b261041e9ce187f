/**
 * Keys and values of a user's last prompt, for a user who returns.
 *
 * What two prompts begin with alike need not be read twice, as long as the adapter is the same. Uniform LoRA and the
 * bare base always have the same one: a user with one more item keeps the prompt up to that item. In iLoRA the
 * history makes the gate and the gate every key and value, so only the same history (with other candidates) keeps
 * anything. Nothing is approximated.
 */
import { KvCache } from '../../llama/index.js';
import type { Prompt } from '../../text/index.js';

export class PromptMemory {
  #cache = new KvCache();
  #seen: { prompt: Prompt; gates: readonly number[] } | undefined;

  /** Tokens of a prompt whose keys and values are here; at least the last one is always read. */
  known(prompt: Prompt, gates: readonly number[]): number {
    const seen = this.#seen;
    if (seen === undefined || gates.length !== seen.gates.length) return 0;
    if (!gates.every((weight, e) => weight === seen.gates[e])) return 0;
    return Math.min(sharedTokens(seen.prompt, prompt), prompt.ids.length - 1);
  }

  /** Keys and values of the first tokens; it may be added to. */
  recall(length: number): KvCache {
    return this.#cache.upTo(length);
  }

  /** Takes a copy of the prompt's part of a cache in place of what was here. */
  remember(cache: KvCache, prompt: Prompt, gates: readonly number[]): void {
    const kept = cache.upTo(prompt.ids.length).copy();
    this.dispose();
    this.#cache = kept;
    this.#seen = { prompt, gates };
  }

  /** Frees the tensors; it can be used again, empty. */
  dispose(): void {
    this.#cache.dispose();
    this.#cache = new KvCache();
    this.#seen = undefined;
  }
}

/** How many tokens two prompts begin with alike; a slot is alike if its item is. */
function sharedTokens(first: Prompt, second: Prompt): number {
  const slots = new Map(first.slots.map(({ position, item }) => [position, item]));
  const others = new Map(second.slots.map(({ position, item }) => [position, item]));
  const most = Math.min(first.ids.length, second.ids.length);
  for (let i = 0; i < most; i++)
    if (first.ids[i] !== second.ids[i] || slots.get(i) !== others.get(i)) return i;
  return most;
}
