/**
 * The body of a thread that computes for `ModelThread`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Llama } from '../../../llama/index.js';
import { overwrite } from '../../../nn/index.js';
import {
  adopt,
  copy_,
  engineThreads,
  mul,
  noGrad,
  type SharedTensor,
  scope,
  share,
  type Tensor,
  zerosLike,
} from '../../../tensor/index.js';
import type { GradientTask } from '../../learner.js';
import { encoderOf } from '../../registry.js';
import type { ModelParts } from '../adapted-model.js';
import { modelParts } from '../description.js';
import { objectiveNamed } from '../objectives/index.js';
import { VectorTable } from '../vector-table.js';
import { answerTo } from './answer.js';
import type { SharedTensors, ThreadAnswer, ThreadPlan, ThreadTask } from './plan.js';

function serve(plan: ThreadPlan, answer: (answer: ThreadAnswer) => void) {
  engineThreads(plan.threads);
  const parts = partsOf(plan);
  const objective = objectiveNamed(plan.description.objective);
  const model = objective.model(parts);
  const { adapter } = parts;
  const own = new Map(adapter?.namedTensors() ?? []);
  const given = adoptAll(plan.tensors.adapter);
  const parameters = new Map(adapter?.namedParameters() ?? []);
  const gradients = new Map<string, Tensor>();
  if (plan.purpose === 'gradients')
    for (const [key, each] of parameters) gradients.set(key, zerosLike(each));
  else overwrite(own, given, 'adapter');
  let step: number | undefined;

  function gradientsOf({ batch, targets, ...options }: GradientTask): ThreadAnswer {
    if (step !== options.position.step) overwrite(own, given, 'adapter');
    step = options.position.step;
    return scope(() => {
      const mean = mul(objective.loss(model, batch, options), 1 / targets);
      const loss = mean.item();
      const keys: string[] = [];
      if (!Number.isFinite(loss)) return { kind: 'gradients', loss, keys };
      mean.backward();
      for (const [key, parameter] of parameters) {
        const { grad } = parameter;
        if (grad === undefined) continue;
        keys.push(key);
        noGrad(() => copy_(gradients.get(key) as Tensor, grad));
        parameter.setGrad();
      }
      return { kind: 'gradients', loss, keys };
    });
  }

  function run(task: ThreadTask): ThreadAnswer {
    return task.kind === 'gradients'
      ? gradientsOf(task)
      : { kind: 'answer', result: answerTo(model, objective, task) };
  }

  const guarded = (body: () => ThreadAnswer): void => {
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
  return (task: ThreadTask): void => guarded(() => run(task));
}

/** The parts of the main thread's model over its own tensors, with a copy of the adapter to come. */
function partsOf({ description, base: config, tensors }: ThreadPlan): ModelParts {
  const base = new Llama(config, (key) => adopt(tensors.base.get(key) as SharedTensor));
  const encoder = description.encoder && encoderOf(description.encoder);
  if (encoder)
    scope(() => overwrite(new Map(encoder.namedTensors()), adoptAll(tensors.encoder), 'encoder'));
  const { vectors: shared } = tensors;
  const vectors = shared === undefined ? undefined : new VectorTable(adopt(shared));
  const texts = tensors.texts && {
    slots_ND: adopt(tensors.texts.slots_ND),
    outputs_ND: adopt(tensors.texts.outputs_ND),
  };
  const filling = {
    base,
    ...(encoder && { encoder }),
    ...(vectors && { vectors }),
    ...(texts && { texts }),
    seed: 0,
  };
  return modelParts(description, filling);
}

function adoptAll(tensors: SharedTensors): Map<string, Tensor> {
  return new Map([...tensors].map(([key, shared]) => [key, adopt(shared)]));
}

const port = parentPort;
if (port !== null)
  port.on(
    'message',
    serve(workerData as ThreadPlan, (answer) => port.postMessage(answer)),
  );
