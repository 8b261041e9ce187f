/**
 * y = x Wᵀ + b.
 */
import { dims, type Generator, linear, type Tensor } from '../tensor/index.js';
import { constant, kaimingUniform, uniform } from './initialization.js';
import { Module, parameter } from './module.js';
import type { Pass } from './pass.js';

/** Anything that can stand where a linear layer stands: the layer itself or an adapter around it. */
export interface LinearLayer extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** [..., I] → [..., O] */
  forward(x: Tensor, pass?: Pass): Tensor;
  /** `forward` of several layers that carry this same function, over one input, where together is cheaper. */
  readonly forwardJointly?: JointForward;
}

type JointForward = (layers: readonly LinearLayer[], x: Tensor, pass?: Pass) => Tensor[];

/** Outputs of several layers over one input, those of a kind computed together. */
export function forwardAll(layers: readonly LinearLayer[], x: Tensor, pass?: Pass): Tensor[] {
  const outputs = new Map<LinearLayer, Tensor>();
  for (const layer of layers) {
    if (outputs.has(layer)) continue;
    const { forwardJointly } = layer;
    if (forwardJointly === undefined) {
      outputs.set(layer, layer.forward(x, pass));
      continue;
    }
    const kind = layers.filter((other) => other.forwardJointly === forwardJointly);
    for (const [i, y] of forwardJointly(kind, x, pass).entries())
      outputs.set(kind[i] as LinearLayer, y);
  }
  return layers.map((layer) => outputs.get(layer) as Tensor);
}

/** A plain linear layer. */
export class Linear extends Module implements LinearLayer {
  weight: Tensor; // [O, I]
  bias?: Tensor; // [O]

  constructor(weight_OI: Tensor, bias_O?: Tensor) {
    super();
    dims('Linear(weight)', weight_OI, 'O I');
    this.weight = weight_OI;
    if (bias_O !== undefined) this.bias = bias_O;
  }

  /** A trained layer with PyTorch's default start. */
  static create(
    inFeatures: number,
    outFeatures: number,
    { generator, bias = true }: { generator: Generator; bias?: boolean },
  ): Linear {
    const weight_OI = parameter(kaimingUniform([outFeatures, inFeatures], generator));
    const bias_O = bias
      ? parameter(uniform([outFeatures], 1 / Math.sqrt(inFeatures), generator))
      : undefined;
    return new Linear(weight_OI, bias_O);
  }

  get inFeatures(): number {
    return this.weight.axis(1);
  }

  get outFeatures(): number {
    return this.weight.axis(0);
  }

  forward(x: Tensor, _pass?: Pass): Tensor {
    dims('Linear.forward(x)', x, '... I', { I: this.inFeatures });
    return linear(x, this.weight, this.bias);
  }
}

/** A vector of zeros as a trained bias. */
export const zeroBias = (length: number): Tensor => parameter(constant(length, 0));
