/**
 * Here: the methods and their registry; what they can do; how they are built and how they learn.
 * May use: data, text, weights, llama, lora, nn, optim, tensor and below.
 * Used by: training, evaluation and all above.
 */
export type {
  Capabilities,
  Capability,
  Encoder,
  EncoderDescription,
  ItemVectors,
  Recommender,
  Retrieved,
  Retriever,
  Scored,
  TextGenerator,
  TitleReader,
  WorkOptions,
} from './capability.js';
export { choiceWindows, expectedReciprocalPlace } from './choice.js';
export { Cooccurrence, chooseCooccurrence } from './counts/cooccurrence.js';
export type { PairCounts } from './counts/pair-counts.js';
export { Popularity } from './counts/popularity.js';
export type {
  GradientTask,
  GradientThread,
  Learner,
  Sharing,
  TrainingPosition,
} from './learner.js';
export { AdaptedModel } from './llm/adapted-model.js';
export { Adapter, type AdapterOptions, type AdapterRates } from './llm/adapter.js';
export {
  type Base,
  BasePool,
  baseDtype,
  convertedDir,
  examineBase,
  hashModel,
  openBase,
} from './llm/base.js';
export {
  itemTextVectors,
  standardised,
  type TextReader,
  type TextVectorOptions,
} from './llm/item-text-vectors.js';
export {
  type Layout,
  type LayoutRow,
  layOut,
  rowLength,
  tokensPerWorker,
  treeMask,
} from './llm/layout.js';
export { LlmLearner, type LlmLearnerOptions } from './llm/llm-learner.js';
export { LlmRecommender } from './llm/llm-recommender.js';
export { PRESET_NAMES, PRESETS, type Preset } from './llm/methods/presets.js';
export { type LossOptions, objectiveNamed } from './llm/objectives/index.js';
export { type TitleRows, titleLoss } from './llm/objectives/title-likelihood.js';
export type { LlmParts } from './llm/parts.js';
export { PromptMemory } from './llm/prompt-memory.js';
export { isWorthThreads } from './llm/threads/answers.js';
export { ModelThread } from './llm/threads/model-thread.js';
export { planOf, type ThreadPlan } from './llm/threads/plan.js';
export {
  type Choices,
  type CommonSettings,
  commonShape,
  type EncoderSettings,
  type LoopOptions,
  type Member,
  type MemberSettings,
  type Method,
  type Model,
  type Needs,
  needsCatalog,
  type Parts,
  SELECTABLE,
  type Selectable,
} from './method.js';
export {
  COMPARED,
  CONTROLS,
  DEFAULT_ENCODER,
  DEFAULT_MEMBERS,
  encoderMethods,
  MAIN,
  METHOD_NAMES,
  METHODS,
  memberMethods,
  methodNamed,
  settingsSchema,
} from './registry.js';
export { SASRec, type SASRecOptions } from './sasrec/sasrec.js';
export { SequenceEncoder, type SequenceOptions } from './sequence/encoder.js';
export { SequenceLearner, type SequenceLearnerOptions } from './sequence/learner.js';
export { SequenceRecommender } from './sequence/recommender.js';
export { turn, untilAborted } from './turn.js';
