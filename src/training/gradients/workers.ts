/**
 * ★ A step's gradients from several threads, each with parts of the step of its own.
 *
 * libtorch's threads share one operator at a time and wait for each other thousands of times a step; a part of
 * a step is work for seconds. So each worker takes whole parts, with few threads or one inside its operators
 * (docs/performance.md has the gain). Parts are added in their order, whoever computed them: gradients do not
 * depend on which worker was faster.
 */
import { internal } from '../../errors/index.js';
import {
  type GradientTask,
  type GradientThread,
  type Learner,
  type Sharing,
  type TrainingPosition,
  untilAborted,
} from '../../recommenders/index.js';
import {
  adopt,
  clone,
  engineInfo,
  engineThreads,
  foreach,
  noGrad,
  scope,
  type Tensor,
} from '../../tensor/index.js';
import { checkLoss, type GradientSource, OwnGradients } from './source.js';

/**
 * How gradients are had on this machine: from workers where the learner can share a step, and there are several
 * threads and examples to share.
 * @param workers number of them; by default one per thread that libtorch may use, as far as memory goes
 * @throws AbortError when the signal fires while they start
 */
export async function gradientSource(
  learner: Learner,
  { batchSize, workers }: { batchSize: number; workers?: number },
  signal?: AbortSignal,
): Promise<GradientSource> {
  const { threads } = engineInfo();
  const { sharing } = learner;
  if (sharing === undefined) return new OwnGradients(learner);
  const wanted = workers ?? Math.min(threads, sharing.workers(process.availableMemory()));
  const count = Math.min(wanted, batchSize);
  if (count === 1) return new OwnGradients(learner);
  return GradientWorkers.start(learner, {
    workers: count,
    threads: Math.max(1, Math.floor(threads / count)),
    signal,
  });
}

export class GradientWorkers implements GradientSource {
  readonly #parameters: ReadonlyMap<string, Tensor>;

  private constructor(
    readonly learner: Learner,
    private readonly sharing: Sharing,
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
   * @throws AbortError when the signal fires
   */
  static async start(
    learner: Learner,
    { workers, threads, signal }: { workers: number; threads: number; signal?: AbortSignal },
  ): Promise<GradientWorkers> {
    signal?.throwIfAborted();
    const { sharing } = learner;
    if (sharing === undefined) throw internal(`${learner.name} cannot share a step`);
    const members = Array.from({ length: workers }, () => new Member(sharing.start(threads)));
    try {
      await untilAborted(Promise.all(members.map((member) => member.ready())), signal);
      return new GradientWorkers(learner, sharing, members, threads);
    } catch (error) {
      const ended = Promise.all(members.map((member) => member.end()));
      // After a stop nobody waits for workers that are still reading the library.
      if (signal?.aborted !== true) await ended;
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
    const { learner, sharing, members } = this;
    const fixed = {
      targets: Math.max(1, learner.countTargets(position.batch, position)),
      recomputesActivations: sharing.recomputesActivations,
    };
    const parts = learner.cut(position.batch, position, members.length);
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
        const batch = sharing.batch(examples, position);
        const part = await member.compute({ position, examples, batch, ...fixed });
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

/** One worker and where its gradients stand. */
class Member {
  readonly #thread: GradientThread;
  readonly #gradients = new Map<string, Tensor>();

  constructor(thread: GradientThread) {
    this.#thread = thread;
  }

  async ready(): Promise<void> {
    for (const [key, shared] of await this.#thread.ready()) this.#gradients.set(key, adopt(shared));
  }

  async compute(task: GradientTask): Promise<Part> {
    const { loss, keys } = await this.#thread.gradients(task);
    const gradients = new Map<string, Tensor>();
    for (const key of keys)
      gradients.set(
        key,
        noGrad(() => clone(this.#gradients.get(key) as Tensor)),
      );
    return { loss, gradients };
  }

  async end(): Promise<void> {
    await this.#thread.end();
    for (const gradient of this.#gradients.values()) gradient.dispose();
    this.#gradients.clear();
  }
}
