/**
 * Greedy generation with a key-value cache.
 */
import type { Pass } from '../nn/index.js';
import { argmax, narrow, noGrad, scope, Tensor, toDevice } from '../tensor/index.js';
import { KvCache } from './kv-cache.js';
import type { Llama } from './llama.js';

export interface GenerateOptions {
  maxNewTokens: number;
  /** Generation ends when this says so of the token just made; that token is part of the result. */
  isEnd: (token: number) => boolean;
  pass?: Pass;
}

/**
 * The most likely continuation, token by token; it ends with the model's last position.
 * @param prompt_1TD embeddings of one prompt
 */
export function generateGreedy(
  model: Llama,
  prompt_1TD: Tensor,
  { maxNewTokens, isEnd, pass }: GenerateOptions,
): number[] {
  return noGrad(() =>
    scope(() => {
      const cache = new KvCache();
      const tokens: number[] = [];
      let hidden = prompt_1TD;
      while (tokens.length < maxNewTokens) {
        const states_1TD = model.forward(hidden, { cache, pass });
        const last_11D = narrow(states_1TD, 1, states_1TD.axis(1) - 1, 1);
        const token = argmax(model.logits(last_11D), -1).item();
        tokens.push(token);
        if (isEnd(token) || cache.length >= model.config.maxPositions) break;
        hidden = model.embed(
          toDevice(Tensor.from(BigInt64Array.of(BigInt(token)), [1, 1]), model.device),
        );
      }
      return tokens;
    }),
  );
}
