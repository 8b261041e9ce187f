/**
 * Here: the frozen base: models of the Llama family.
 * May use: nn, weights and below.
 * Used by: recommenders.
 */
export { type GenerateOptions, generateGreedy } from './generate.js';
export { KvCache } from './kv-cache.js';
export { Llama, type LlamaForwardOptions, type WeightLoader } from './llama.js';
export { inverseFrequencies, RotaryEmbedding, rotate } from './rope.js';
