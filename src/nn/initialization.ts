/**
 * Starting values, drawn from seeded generators on the CPU so that they do not depend on the device.
 */
import { type Generator, keep, normal_, Tensor, uniform_, zeros } from '../tensor/index.js';

/**
 * Kaiming-uniform with a = √5, as in the reference LoRA for `A`: U(-1/√I, 1/√I) for a weight [O, I].
 */
export function kaimingUniform(shape: readonly number[], generator: Generator): Tensor {
  const inputs = shape.slice(1).reduce((product, length) => product * length, 1);
  return uniform(shape, 1 / Math.sqrt(inputs), generator);
}

/** U(-bound, bound). */
export function uniform(shape: readonly number[], bound: number, generator: Generator): Tensor {
  const tensor = keep(zeros(shape));
  uniform_(tensor, -bound, bound, generator);
  return tensor;
}

/** N(0, deviation²). */
export function normal(shape: readonly number[], deviation: number, generator: Generator): Tensor {
  const tensor = keep(zeros(shape));
  normal_(tensor, 0, deviation, generator);
  return tensor;
}

/**
 * N(0, 2 / (I + O)) for a weight [O, I]; of a convolution [O, I, K], I and O count each of the K places.
 * Glorot & Bengio, AISTATS 2010.
 */
export function xavierNormal(shape: readonly number[], generator: Generator): Tensor {
  const [outputs = 1, inputs = 1, ...places] = shape;
  const count = places.reduce((product, length) => product * length, 1);
  return normal(shape, Math.sqrt(2 / ((inputs + outputs) * count)), generator);
}

/** A vector of one value. */
export function constant(length: number, value: number): Tensor {
  return keep(Tensor.from(new Float32Array(length).fill(value)));
}
