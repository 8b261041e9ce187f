/**
 * ★ The loss an adapter learns from: -log p of the targets' titles, summed over the windows that go through together.
 */
import { Recomputation } from '../../nn/index.js';
import { add, detach, mul, neg, sub, sum, type Tensor } from '../../tensor/index.js';
import { dropoutStreams, type TrainingPosition } from '../learner.js';
import type { AdaptedModel } from './adapted-model.js';
import { type LayoutRow, layOut } from './layout.js';

/** Training windows as the model takes them. */
export interface Windows {
  rows: LayoutRow[];
  /** One per row, for the gate. */
  histories: (readonly number[])[];
}

export interface TrainingLossOptions {
  position: TrainingPosition;
  /** Number of each window's example; dropout is drawn for it. */
  examples: readonly number[];
  /** Computes activations again for the gradients in place of keeping them: a third slower, far less memory. */
  recomputesActivations?: boolean;
  /** Weights of the experts per window, [B, E]; by default those that the histories have in training. */
  gates_BE?: Tensor;
}

/** Sum over all tokens of all targets, in nats, with its gradient history. */
export function trainingLoss(
  model: AdaptedModel,
  { rows, histories }: Windows,
  { position, examples, recomputesActivations = false, gates_BE }: TrainingLossOptions,
): Tensor {
  const { adapter, base } = model.parts;
  const forward = (recomputation?: Recomputation): Tensor => {
    const { logProbabilities_X } = model.logProbabilities(layOut(rows), histories, {
      dropout: dropoutStreams(position, examples, base.device),
      gates_BE: gates_BE ?? model.gates(histories, { isTraining: true }),
      recomputation,
    });
    return neg(sum(logProbabilities_X));
  };
  if (!recomputesActivations) return forward();
  return recomputed(
    [...(adapter?.namedParameters() ?? [])].map(([, parameter]) => parameter),
    forward,
  );
}

/**
 * A loss whose gradients are known already: each parameter's stands as a factor before it, in a sum that adds
 * exactly zero to the loss.
 */
function recomputed(
  parameters: readonly Tensor[],
  forward: (recomputation: Recomputation) => Tensor,
): Tensor {
  const before = parameters.map((parameter) => parameter.grad);
  for (const parameter of parameters) parameter.setGrad();
  const recomputation = new Recomputation();
  const loss = forward(recomputation);
  loss.backward();
  recomputation.backward();
  const carriers = parameters.flatMap((parameter, i) => {
    const gradient = parameter.grad;
    parameter.setGrad(before[i]);
    return gradient === undefined ? [] : [sum(mul(gradient, parameter))];
  });
  return carriers.reduce(
    (total, carrier) => add(total, sub(carrier, detach(carrier))),
    detach(loss),
  );
}
