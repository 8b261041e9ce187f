/**
 * A thread that computes gradients of parts of steps for `GradientWorkers`.
 *
 * Its base is the main thread's, not a copy; its adapter is a copy that takes the main thread's values at each
 * step. What goes in are token ids and histories, what comes out are gradients in tensors that both threads hold.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { ModelConfig } from '../../checkpoint/index.js';
import { Llama } from '../../llama/index.js';
import { overwrite } from '../../nn/index.js';
import {
  AdaptedModel,
  Adapter,
  type AdapterOptions,
  SASRec,
  type SASRecOptions,
  type TrainingPosition,
  trainingLoss,
  type Windows,
} from '../../recommenders/index.js';
import {
  adopt,
  copy_,
  engineThreads,
  Generator,
  mul,
  noGrad,
  type SharedTensor,
  scope,
  share,
  type Tensor,
  zerosLike,
} from '../../tensor/index.js';

/** Tensors of another thread by key. */
export type SharedTensors = ReadonlyMap<string, SharedTensor>;

/** All that a worker is made from. */
export interface WorkerPlan {
  base: { config: ModelConfig; tensors: SharedTensors };
  recommender?: { options: SASRecOptions; tensors: SharedTensors };
  adapter: { options: AdapterOptions; recommenderWidth: number; tensors: SharedTensors };
  recomputesActivations: boolean;
  /** Inside an operator. */
  threads: number;
}

/** A part of a step. */
export interface WorkerTask {
  position: TrainingPosition;
  examples: readonly number[];
  windows: Windows;
  /** What the sum of the losses is divided by. */
  targets: number;
}

export type WorkerAnswer =
  /** Ready; where gradients will stand, by key. */
  | { kind: 'ready'; gradients: SharedTensors }
  /** The part of the mean loss, and the keys that got a gradient. */
  | { kind: 'done'; loss: number; keys: readonly string[] }
  | { kind: 'failed'; code: string; message: string };

function serve(plan: WorkerPlan, answer: (answer: WorkerAnswer) => void) {
  engineThreads(plan.threads);
  const { base, recommender, adapter } = plan;
  const model = new Llama(base.config, (key) => adopt(base.tensors.get(key) as SharedTensor));
  const sasrec = recommender && new SASRec(recommender.options, new Generator(0));
  if (recommender) scope(() => sasrec?.load(adoptAll(recommender.tensors), 'recommender'));
  sasrec?.freeze();
  const own = new Adapter(model, adapter.options, adapter.recommenderWidth, 0);
  const given = adoptAll(adapter.tensors);
  const parameters = new Map(own.namedParameters());
  const gradients = new Map([...parameters].map(([key, each]) => [key, zerosLike(each)]));
  const adapted = new AdaptedModel({
    base: model,
    adapter: own,
    ...(sasrec && { recommender: sasrec }),
  });
  let step: number | undefined;

  function run({ position, examples, windows, targets }: WorkerTask): WorkerAnswer {
    if (step !== position.step) overwrite(parameters, given, 'adapter');
    step = position.step;
    return scope(() => {
      const { recomputesActivations } = plan;
      const sum = trainingLoss(adapted, windows, { position, examples, recomputesActivations });
      const mean = mul(sum, 1 / targets);
      const loss = mean.item();
      const keys: string[] = [];
      if (!Number.isFinite(loss)) return { kind: 'done', loss, keys };
      mean.backward();
      for (const [key, parameter] of parameters) {
        const { grad } = parameter;
        if (grad === undefined) continue;
        keys.push(key);
        noGrad(() => copy_(gradients.get(key) as Tensor, grad));
        parameter.setGrad();
      }
      return { kind: 'done', loss, keys };
    });
  }

  const guarded = (body: () => WorkerAnswer): void => {
    try {
      answer(body());
    } catch (error) {
      const { code = 'internal', message } = error as { code?: string; message: string };
      answer({ kind: 'failed', code, message });
    }
  };
  guarded(() => ({
    kind: 'ready',
    gradients: new Map([...gradients].map(([key, each]) => [key, share(each)])),
  }));
  return (task: WorkerTask): void => guarded(() => run(task));
}

function adoptAll(tensors: SharedTensors): Map<string, Tensor> {
  return new Map([...tensors].map(([key, shared]) => [key, adopt(shared)]));
}

const port = parentPort;
if (port !== null)
  port.on(
    'message',
    serve(workerData as WorkerPlan, (answer) => port.postMessage(answer)),
  );
