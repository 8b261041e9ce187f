/**
 * What goes between the main thread and threads that compute with the same model.
 *
 * Their base is the main thread's, not a copy; their adapter is a copy. What goes in is plain data of the objective,
 * what comes out are numbers, or gradients in tensors that both threads hold.
 */

import { type SharedTensor, share, type Tensor } from '../../../tensor/index.js';
import type { ModelConfig } from '../../../weights/index.js';
import type { Scored } from '../../capability.js';
import type { GradientTask } from '../../learner.js';
import type { LlmDescription } from '../description.js';
import type { LlmParts } from '../parts.js';
import type { AnswerTask } from './answer.js';

/** Tensors of another thread by key. */
export type SharedTensors = ReadonlyMap<string, SharedTensor>;

/** A description with the tensors to make it over, and what the thread is for. */
export interface ThreadPlan {
  /** `gradients`: the adapter takes the main thread's values at each step; `answers`: once. */
  purpose: 'gradients' | 'answers';
  description: LlmDescription;
  base: ModelConfig;
  tensors: {
    base: SharedTensors;
    encoder: SharedTensors;
    adapter: SharedTensors;
    /** The table of the slots' vectors, where they do not come from the encoder. */
    vectors?: SharedTensor;
    /** Vectors of the items' texts, for next-item prediction. */
    texts?: { slots_ND: SharedTensor; outputs_ND: SharedTensor };
  };
  /** Inside an operator. */
  threads: number;
}

export type ThreadTask = ({ kind: 'gradients' } & GradientTask) | AnswerTask;

export type ThreadAnswer =
  /** Where gradients will stand, by key; none where the purpose is answers. */
  | { kind: 'ready'; gradients: SharedTensors }
  /** The part of the mean loss, and the keys that got a gradient. */
  | { kind: 'gradients'; loss: number; keys: readonly string[] }
  | { kind: 'answer'; result: Scored[] | number[] }
  | { kind: 'failed'; code: string; message: string };

/** A model as plain data. */
export function describe(parts: LlmParts): LlmDescription {
  const { name, objective, prompts, reading, adapter, encoder, maxHistory, batchTokens } = parts;
  return {
    name,
    objective,
    batchTokens,
    ...(prompts && { prompt: prompts.template }),
    ...(reading && { reading }),
    ...(maxHistory !== undefined && { maxHistory }),
    ...(encoder && { encoder: encoder.describe() }),
    ...(adapter && { adapter: adapter.options }),
  };
}

/** @param threads inside an operator, of each thread */
export function planOf(
  parts: LlmParts,
  { purpose, threads }: Pick<ThreadPlan, 'purpose' | 'threads'>,
): ThreadPlan {
  const { base, adapter, encoder, vectors, texts } = parts;
  const shareAll = (tensors: Iterable<[string, Tensor]> = []): SharedTensors =>
    new Map([...tensors].map(([key, tensor]) => [key, share(tensor)]));
  return {
    purpose,
    description: describe(parts),
    base: base.config,
    tensors: {
      base: shareAll(adapter?.baseTensors() ?? base.namedTensors()),
      encoder: shareAll(encoder?.namedTensors()),
      adapter: shareAll(adapter?.namedTensors()),
      ...(vectors && { vectors: share(vectors.table_NM) }),
      ...(texts && {
        texts: { slots_ND: share(texts.slots_ND), outputs_ND: share(texts.outputs_ND) },
      }),
    },
    threads,
  };
}
