/**
 * What is wrong with numbers that are not finite: which tensor holds them, and what likely made them.
 */
import { all, finite, noGrad, scope, type Tensor } from '../tensor/index.js';

/** Keys of the tensors that hold infinities or NaN. */
export function nonFinite(tensors: ReadonlyMap<string, Tensor>): string[] {
  return [...tensors]
    .filter(([, tensor]) => tensor.size > 0 && !noGrad(() => scope(() => all(finite(tensor)))))
    .map(([key]) => key);
}

/** A weight of this size has left every range in which a network is trained. */
const EXPLODED = 1e3;

/** The likely cause of a loss that is not finite although all trained values still are. */
export function likelyCause(tensors: ReadonlyMap<string, Tensor>): string {
  let largest = { key: '', value: 0 };
  for (const [key, tensor] of tensors) {
    for (const number of tensor.toNumbers())
      if (Math.abs(number) > largest.value) largest = { key, value: Math.abs(number) };
  }
  const { key, value } = largest;
  return value > EXPLODED
    ? `${key} has grown to ${value.toPrecision(3)}: the learning rate is too high`
    : `no trained value exceeds ${value.toPrecision(3)}, so look at the base's weights and these examples, or try float32`;
}
