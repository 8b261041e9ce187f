/**
 * Keys and values of the tokens a model has already seen.
 */
import { cat, clone, keep, narrow, type Tensor } from '../tensor/index.js';

/** One pair per layer, [B, G, S, K] each; grows by `append`. */
export class KvCache {
  readonly #layers: { keys: Tensor; values: Tensor }[] = [];

  /** S, the number of cached positions. */
  get length(): number {
    return this.#layers[0]?.keys.axis(2) ?? 0;
  }

  /** Adds new positions to a layer and returns all of them. */
  append(layer: number, keys_BGTK: Tensor, values_BGTK: Tensor): { keys: Tensor; values: Tensor } {
    const known = this.#layers[layer];
    const grown =
      known === undefined
        ? { keys: keys_BGTK, values: values_BGTK }
        : { keys: cat([known.keys, keys_BGTK], 2), values: cat([known.values, values_BGTK], 2) };
    this.#layers[layer] = grown;
    return grown;
  }

  /** Its first positions, as views. */
  upTo(length: number): KvCache {
    const part = new KvCache();
    if (length > 0)
      for (const { keys, values } of this.#layers)
        part.#layers.push({
          keys: narrow(keys, 2, 0, length),
          values: narrow(values, 2, 0, length),
        });
    return part;
  }

  /** The same in tensors of its own, which live until `dispose`. */
  copy(): KvCache {
    const copied = new KvCache();
    for (const { keys, values } of this.#layers)
      copied.#layers.push({ keys: keep(clone(keys)), values: keep(clone(values)) });
    return copied;
  }

  dispose(): void {
    for (const { keys, values } of this.#layers.splice(0)) {
      keys.dispose();
      values.dispose();
    }
  }
}
