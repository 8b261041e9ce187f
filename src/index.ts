/**
 * The library: everything the command line does can be done from code.
 *
 * Deep parts (tensors, modules, optimizers) are exported too, for those who build on them.
 */
export * as analysis from './analysis/index.js';
export {
  type CandidateQuery,
  type Dataset,
  type Instance,
  importInteractions,
  openDataset,
  type RetrievalQuery,
  TitleSearch,
  writeDataset,
} from './data/index.js';
export { type ErrorCode, IloraError } from './errors/index.js';
export { compare, type Evaluation, evaluate, evaluateGenerated } from './evaluation/index.js';
export { KvCache, Llama } from './llama/index.js';
export {
  ConvGate,
  ExpertLoraLinear,
  type Gate,
  inject,
  LinearGate,
  LoraLinear,
  Projector,
  remove,
} from './lora/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export { Random } from './random/index.js';
export {
  Adapter,
  Cooccurrence,
  type Encoder,
  LlmRecommender,
  METHODS,
  type Method,
  type Model,
  methodNamed,
  openBase,
  Popularity,
  type Recommender,
  type Retriever,
  SASRec,
  type Scored,
  type TextGenerator,
} from './recommenders/index.js';
export * as tensor from './tensor/index.js';
export { openTokenizer, PromptBuilder, Tokenizer } from './text/index.js';
export {
  openRun,
  readSettings,
  resolveSettings,
  type Settings,
  trainRun,
} from './training/index.js';
export { type ModelConfig, openWeights, type WeightSource } from './weights/index.js';
