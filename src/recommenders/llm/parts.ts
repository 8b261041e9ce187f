/**
 * What a recommender on a language model is made of.
 */
import type { PromptBuilder } from '../../text/index.js';
import type { ModelParts } from './adapted-model.js';

export interface LlmParts extends ModelParts {
  /** Of its method. */
  name: string;
  /** Name of the objective. */
  objective: string;
  /** Tokens, padding included, that go through the model at once. */
  batchTokens: number;
  /** What puts queries into words, for objectives that prompt. */
  prompts?: PromptBuilder;
  /** Items of a history that a prompt shows, the last ones; all by default. */
  maxHistory?: number;
}

/** Of a recommender that prompts. */
export interface PromptingParts extends LlmParts {
  prompts: PromptBuilder;
}
