/**
 * A thread that computes with the main thread's model, as the main thread sees it.
 */
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type ErrorCode, IloraError, internal } from '../../../errors/index.js';
import type { Scored } from '../../capability.js';
import type { GradientTask, GradientThread } from '../../learner.js';
import type { AnswerTask } from './answer.js';
import type { SharedTensors, ThreadAnswer, ThreadPlan, ThreadTask } from './plan.js';
import { startThread } from './thread.js';

type Answer<K extends ThreadAnswer['kind']> = Extract<ThreadAnswer, { kind: K }>;

/** It takes one task at a time. */
export class ModelThread implements GradientThread {
  readonly #worker: Worker;
  #settle:
    | { resolve: (answer: ThreadAnswer) => void; reject: (error: unknown) => void }
    | undefined;
  #failure: unknown;

  constructor(plan: ThreadPlan) {
    this.#worker = startThread(new URL(`body${extname(import.meta.url)}`, import.meta.url), plan);
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle?.resolve(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(internal(`a thread ended with ${code}`)));
  }

  /** To be awaited once, before anything is asked. */
  async ready(): Promise<SharedTensors> {
    return (await this.#answer('ready')).gradients;
  }

  /** @throws IloraError of what went wrong there */
  async gradients(task: GradientTask): Promise<Answer<'gradients'>> {
    return this.#ask({ kind: 'gradients', ...task }, 'gradients');
  }

  /** @throws IloraError of what went wrong there */
  async answer(task: AnswerTask): Promise<Scored[] | number[]> {
    return (await this.#ask(task, 'answer')).result;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask<K extends ThreadAnswer['kind']>(task: ThreadTask, kind: K): Promise<Answer<K>> {
    const pending = this.#answer(kind);
    this.#worker.postMessage(task);
    return pending;
  }

  async #answer<K extends ThreadAnswer['kind']>(kind: K): Promise<Answer<K>> {
    if (this.#failure !== undefined) throw this.#failure;
    const answer = await new Promise<ThreadAnswer>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#settle = undefined;
    if (answer.kind === 'failed') throw new IloraError(answer.code as ErrorCode, answer.message);
    if (answer.kind !== kind) throw internal(`a thread answered ${answer.kind} to ${kind}`);
    return answer as Answer<K>;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#settle?.reject(this.#failure);
  }
}
