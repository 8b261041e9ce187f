/**
 * Here: ★ adapters, experts, gates.
 * May use: nn and below; not llama.
 * Used by: recommenders.
 */
export { ConvGate, type GateNorm } from './conv-gate.js';
export { ExpertLoraLinear, type ExpertLoraOptions, expertScale } from './expert-lora-linear.js';
export { type Gate, type GateUse, LinearGate } from './gate.js';
export { type Injected, inject, LLAMA_PROJECTIONS, remove } from './inject.js';
export { LoraLinear, type LoraOptions } from './lora-linear.js';
export type { LowRankLayer } from './low-rank.js';
export { Projector } from './projector.js';
