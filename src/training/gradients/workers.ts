/**
 * ★ A step's gradients from several threads, each with parts of the step of its own.
 *
 * libtorch's threads share one operator at a time and wait for each other thousands of times a step; a part of
 * a step is work for seconds. So each worker takes whole parts, with few threads or one inside its operators
 * (docs/performance.md has the gain). Parts are added in their order, whoever computed them: gradients do not
 * depend on which worker was faster.
 */
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { type ErrorCode, IloraError, internal } from '../../errors/index.js';
import type { Llama } from '../../llama/index.js';
import {
  type LlmLearner,
  type TrainingPosition,
  tokensPerWorker,
} from '../../recommenders/index.js';
import {
  adopt,
  clone,
  DTYPE_BYTES,
  engineInfo,
  engineThreads,
  foreach,
  noGrad,
  scope,
  share,
  type Tensor,
} from '../../tensor/index.js';
import { checkLoss, type GradientSource, OwnGradients } from './source.js';
import { startThread } from './thread.js';
import type { SharedTensors, WorkerAnswer, WorkerPlan, WorkerTask } from './worker.js';

/** A step of a smaller base is over before workers pay. */
const LEAST_PARAMETERS = 2e7;

/**
 * How gradients are had on this machine: from workers where there are several threads and windows to share.
 * @param workers number of them; by default one per thread that libtorch may use, as far as memory goes, unless the
 *   base is small
 */
export async function gradientSource(
  learner: LlmLearner,
  { batchSize, workers }: { batchSize: number; workers?: number },
): Promise<GradientSource> {
  const { threads } = engineInfo();
  const { base, adapter, batchTokens } = learner.recommender.parts;
  const isAble = base.device === 'cpu' && adapter?.gate?.dependsOnBatch !== true;
  const pays = base.parameterCount >= LEAST_PARAMETERS;
  const byDefault = pays ? affordableWorkers(base, batchTokens, process.availableMemory()) : 1;
  const wanted = workers ?? Math.min(threads, byDefault);
  const count = isAble ? Math.min(wanted, batchSize) : 1;
  if (count === 1) return new OwnGradients(learner);
  return GradientWorkers.start(learner, {
    workers: count,
    threads: Math.max(1, Math.floor(threads / count)),
  });
}

/** Activations that a layer keeps per token, in D + F: SmolLM2-135M takes 1.2 GB for 1,024 tokens in bfloat16. */
const KEPT_WIDTHS = 9;
/** More share a step on no machine. */
const MOST_WORKERS = 256;

/**
 * How many workers' activations fill at most half of the bytes that are left; at least 1.
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

export class GradientWorkers implements GradientSource {
  readonly #parameters: ReadonlyMap<string, Tensor>;

  private constructor(
    readonly learner: LlmLearner,
    private readonly members: readonly Member[],
    private readonly threads: number,
  ) {
    this.#parameters = new Map(
      learner.parameterGroups().flatMap(({ parameters }) => [...parameters]),
    );
  }

  /**
   * @param threads inside an operator, of each worker
   * @throws IloraError of whatever a worker could not do
   */
  static async start(
    learner: LlmLearner,
    { workers, threads }: { workers: number; threads: number },
  ): Promise<GradientWorkers> {
    const members = Array.from({ length: workers }, () => new Member(planOf(learner, threads)));
    try {
      await Promise.all(members.map((member) => member.ready()));
      return new GradientWorkers(learner, members, threads);
    } catch (error) {
      await Promise.all(members.map((member) => member.end()));
      throw error;
    }
  }

  async accumulate(position: TrainingPosition, signal?: AbortSignal): Promise<number> {
    const threadsBefore = engineThreads();
    engineThreads(this.threads); // some libraries of libtorch keep one number for all threads
    try {
      return await this.#accumulate(position, signal);
    } finally {
      engineThreads(threadsBefore);
    }
  }

  async #accumulate(position: TrainingPosition, signal?: AbortSignal): Promise<number> {
    const { learner, members } = this;
    const { batch } = position;
    const targets = Math.max(1, learner.countTargets(batch, position));
    const parts = learner.cut(batch, position, members.length);
    const done = new Map<number, Part>();
    let taken = 0;
    let added = 0;
    let loss = 0;
    let isOver = false;
    const work = async (member: Member): Promise<void> => {
      while (taken < parts.length && !isOver) {
        signal?.throwIfAborted();
        const place = taken++;
        const examples = parts[place] as number[];
        const windows = learner.windows(examples, position);
        const part = await member.compute({ position, examples, windows, targets });
        done.set(place, part);
        if (isOver) return release();
        signal?.throwIfAborted();
        checkLoss(part.loss, examples, position, learner);
        for (let next = done.get(added); next !== undefined; next = done.get(added)) {
          done.delete(added++);
          loss += next.loss;
          this.#add(next.gradients);
        }
      }
    };
    const release = (): void => {
      for (const { gradients } of done.values())
        for (const gradient of gradients.values()) gradient.dispose();
      done.clear();
    };
    try {
      await untilAborted(Promise.all(members.map(work)), signal);
    } finally {
      isOver = true; // what is still computed after an abort or an error is let go
      release();
    }
    return loss;
  }

  #add(gradients: ReadonlyMap<string, Tensor>): void {
    const [sums, terms]: [Tensor[], Tensor[]] = [[], []];
    scope(() => {
      for (const [key, gradient] of gradients) {
        const parameter = this.#parameters.get(key) as Tensor;
        const sum = parameter.grad;
        if (sum === undefined) parameter.setGrad(gradient);
        else {
          sums.push(sum);
          terms.push(gradient);
        }
      }
      if (sums.length > 0) noGrad(() => foreach.add_(sums, terms));
    });
    for (const gradient of gradients.values()) gradient.dispose();
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end()));
  }
}

/** What a part of a step gave; the gradients are the receiver's to free. */
interface Part {
  loss: number;
  gradients: Map<string, Tensor>;
}

/** One worker, as the main thread sees it. */
class Member {
  readonly #worker: Worker;
  #gradients = new Map<string, Tensor>();
  #settle:
    | { resolve: (answer: WorkerAnswer) => void; reject: (error: unknown) => void }
    | undefined;
  #failure: unknown;

  constructor(plan: WorkerPlan) {
    this.#worker = startThread(new URL(`worker${extname(import.meta.url)}`, import.meta.url), plan);
    this.#worker.on('message', (answer: WorkerAnswer) => this.#settle?.resolve(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(internal(`a worker ended with ${code}`)));
  }

  async ready(): Promise<void> {
    const answer = await this.#answer();
    if (answer.kind !== 'ready') throw internal(`a worker began with ${answer.kind}`);
    for (const [key, shared] of answer.gradients) this.#gradients.set(key, adopt(shared));
  }

  async compute(task: WorkerTask): Promise<Part> {
    const pending = this.#answer();
    this.#worker.postMessage(task);
    const answer = await pending;
    if (answer.kind !== 'done') throw internal(`a worker answered ${answer.kind}`);
    const gradients = new Map<string, Tensor>();
    for (const key of answer.keys)
      gradients.set(
        key,
        noGrad(() => clone(this.#gradients.get(key) as Tensor)),
      );
    return { loss: answer.loss, gradients };
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    for (const gradient of this.#gradients.values()) gradient.dispose();
    this.#gradients.clear();
  }

  async #answer(): Promise<WorkerAnswer> {
    if (this.#failure !== undefined) throw this.#failure;
    const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#settle = undefined;
    if (answer.kind === 'failed') throw new IloraError(answer.code as ErrorCode, answer.message);
    return answer;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#settle?.reject(this.#failure);
  }
}

function planOf({ recommender, options }: LlmLearner, threads: number): WorkerPlan {
  const { base, adapter, recommender: sasrec } = recommender.parts;
  if (adapter === undefined) throw internal('workers need an adapter to train');
  const shareAll = (tensors: Iterable<[string, Tensor]>): SharedTensors =>
    new Map([...tensors].map(([key, tensor]) => [key, share(tensor)]));
  return {
    base: { config: base.config, tensors: shareAll(adapter.baseTensors()) },
    ...(sasrec && {
      recommender: { options: sasrec.options, tensors: shareAll(sasrec.namedTensors()) },
    }),
    adapter: {
      options: adapter.options,
      recommenderWidth: sasrec?.options.width ?? 1,
      tensors: shareAll(adapter.namedTensors()),
    },
    recomputesActivations: options.recomputesActivations === true,
    threads,
  };
}

/** The promise, or a rejection as soon as the signal fires. */
async function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => undefined); // after an abort nobody asks any more
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
