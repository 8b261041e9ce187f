/**
 * ★ Many answers of one model, by several threads. Each takes the next task when it is free.
 *
 * libtorch's own threads share one operator at a time. Whole tasks keep every core at work (docs/performance.md).
 */
import type { Llama } from '../../../llama/index.js';
import { DTYPE_BYTES, engineInfo, engineThreads } from '../../../tensor/index.js';
import type { Scored } from '../../capability.js';
import { untilAborted } from '../../turn.js';
import { tokensPerWorker } from '../layout.js';
import type { LlmParts } from '../parts.js';
import type { AnswerTask } from './answer.js';
import { ModelThread } from './model-thread.js';
import { planOf } from './plan.js';

/** Parameters of the smallest base for which threads pay. A smaller one is done before they have started. */
const LEAST_PARAMETERS = 2e7;
/** Fewest tasks per thread that are worth its start. */
const LEAST_TASKS = 8;
/**
 * Bytes per token and word of the vocabulary that logits take: 2 as they come, and 4 twice, in float32. About every
 * third token has logits.
 */
const LOGIT_BYTES = 10 / 3;

/** Whether threads of our own pay: on a CPU, for a base that is large enough. */
export const isWorthThreads = ({ device, parameterCount }: Llama): boolean =>
  device === 'cpu' && parameterCount >= LEAST_PARAMETERS;

/** How many threads pay for so many tasks. Their logits fill at most half of the memory that is left. */
export function answerThreads(
  { base, batchTokens }: Pick<LlmParts, 'base' | 'batchTokens'>,
  tasks: number,
  bytesLeft = process.availableMemory(),
): number {
  if (!isWorthThreads(base)) return 1;
  const bytes = batchTokens * base.config.vocabSize * LOGIT_BYTES;
  const most = Math.min(tasks / LEAST_TASKS, bytesLeft / 2 / bytes, engineInfo().threads);
  return Math.max(1, Math.floor(most));
}

/** Values that a layer keeps per token, in units of D + F. SmolLM2-135M keeps 1.2 GB for 1,024 tokens in bfloat16. */
const KEPT_WIDTHS = 9;
/** Most workers that share a step. */
const MOST_WORKERS = 256;

/**
 * How many workers memory affords, at least 1. Their activations fill at most half of the bytes that are left.
 * @param tokens that one worker alone would have in a part
 */
export function affordableWorkers(
  { config, dtype }: Pick<Llama, 'config' | 'dtype'>,
  tokens: number,
  bytesLeft: number,
): number {
  const { numLayers, hiddenSize, intermediateSize } = config;
  const kept = numLayers * KEPT_WIDTHS * (hiddenSize + intermediateSize) * DTYPE_BYTES[dtype];
  const fits = (count: number): boolean =>
    count * tokensPerWorker(tokens, count) * kept <= bytesLeft / 2;
  let workers = 1;
  while (workers < MOST_WORKERS && fits(workers + 1)) workers++;
  return workers;
}

/**
 * @param onAnswer called with the number of a task and what came of it, in no certain order
 * @throws AbortError when the signal fires; nobody waits for the tasks that are under way
 */
export async function answerInThreads(
  parts: LlmParts,
  tasks: readonly AnswerTask[],
  { count, threads, signal }: { count: number; threads: number; signal?: AbortSignal },
  onAnswer: (task: number, answer: Scored[] | number[]) => void,
): Promise<void> {
  signal?.throwIfAborted();
  const members = Array.from(
    { length: count },
    () => new ModelThread(planOf(parts, { purpose: 'answers', threads })),
  );
  let next = 0;
  let isOver = false;
  const work = async (member: ModelThread): Promise<void> => {
    await member.ready();
    while (next < tasks.length && !isOver) {
      signal?.throwIfAborted();
      const place = next++;
      const answer = await member.answer(tasks[place] as AnswerTask);
      if (!isOver) onAnswer(place, answer);
    }
  };
  const threadsBefore = engineThreads();
  engineThreads(threads); // some libraries of libtorch keep one number for all threads
  try {
    await untilAborted(Promise.all(members.map(work)), signal);
  } finally {
    isOver = true;
    engineThreads(threadsBefore);
    const ended = Promise.all(members.map((member) => member.end()));
    if (signal?.aborted !== true) await ended;
  }
}
