/**
 * ★ What a model says to a prompt in its own words: the most likely token, one after the other.
 */
import { generateGreedy } from '../../llama/index.js';
import type { Prompt } from '../../text/index.js';
import type { AdaptedModel } from './adapted-model.js';
import { layOut } from './layout.js';

/** One prompt to be gone on with, as plain data. */
export interface GenerateTask {
  prompt: Prompt;
  /** For the gate. */
  history: readonly number[];
  maxNewTokens: number;
  /** The token that ends an answer. */
  end: number;
}

/** Tokens of the greedy answer, the end included where it was reached; the caller's scope frees what they take. */
export function generateRow(
  model: AdaptedModel,
  { prompt, history, maxNewTokens, end }: GenerateTask,
): number[] {
  const layout = layOut([{ prompt, continuations: [[0]] }]);
  const gates_BE = model.gates([history]);
  return generateGreedy(model.parts.base, model.embed(layout), {
    maxNewTokens,
    isEnd: (token) => token === end,
    pass: gates_BE === undefined ? {} : { gates_BE },
  });
}
