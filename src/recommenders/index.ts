/**
 * Everything that ranks candidates, behind one interface.
 */
export { Cooccurrence, chooseCooccurrence } from './counts/cooccurrence.js';
export { Popularity } from './counts/popularity.js';
export type { Learner, TrainingPosition } from './learner.js';
export { AdaptedModel } from './llm/adapted-model.js';
export { Adapter, type AdapterOptions, type AdapterRates } from './llm/adapter.js';
export type { Base } from './llm/base.js';
export { baseDtype, hashModel, openBase } from './llm/base.js';
export {
  type Layout,
  type LayoutRow,
  layOut,
  rowLength,
  tokensPerWorker,
  treeMask,
} from './llm/layout.js';
export { LlmLearner, type LlmLearnerOptions } from './llm/llm-learner.js';
export { type LlmParts, LlmRecommender } from './llm/llm-recommender.js';
export { PromptMemory } from './llm/prompt-memory.js';
export { isWorthThreads } from './llm/threads/answers.js';
export { ModelThread } from './llm/threads/model-thread.js';
export { type GradientTask, planOf, type ThreadPlan } from './llm/threads/plan.js';
export { type TrainingLossOptions, trainingLoss, type Windows } from './llm/training-loss.js';
export type { Ranking, RankOptions, Recommender } from './recommender.js';
export { SASRec, type SASRecOptions } from './sasrec/sasrec.js';
export { SASRecLearner, type SASRecLearnerOptions } from './sasrec/sasrec-learner.js';
export { SASRecRecommender } from './sasrec/sasrec-recommender.js';
export { turn, untilAborted } from './turn.js';
