/**
 * Here: layers, and what belongs to one pass.
 * May use: tensor and below.
 * Used by: optim, llama, lora, recommenders.
 */
export { Dropout } from './dropout.js';
export { Embedding } from './embedding.js';
export { Gru } from './gru.js';
export { constant, kaimingUniform, normal, uniform, xavierNormal } from './initialization.js';
export { forwardAll, Linear, type LinearLayer, zeroBias } from './linear.js';
export { Module, overwrite, parameter } from './module.js';
export { LayerNorm, RmsNorm } from './norm.js';
export type { Pass } from './pass.js';
export { Recomputation } from './recomputation.js';
