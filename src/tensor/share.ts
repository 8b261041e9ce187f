/**
 * Tensors across threads: one thread shares, another adopts, and both hold the same elements.
 *
 * Nothing is copied, so what one writes the other sees; who writes when is theirs to agree on. A shared tensor
 * is kept until it is adopted, and is adopted once.
 */
import { IloraError, mismatch, show } from '../errors/index.js';
import { native } from './native.js';
import { Tensor } from './tensor.js';

/** Names a shared tensor to another thread of this process. */
export type SharedTensor = number;

/** Lets another thread adopt a tensor's elements, without its gradient and its history. */
export function share(tensor: Tensor): SharedTensor {
  if (!Tensor.is(tensor) || tensor.isDisposed)
    throw mismatch('engine', { where: 'share(tensor)', expected: 'a tensor', got: tensor });
  return native().share(tensor.handle);
}

/** A tensor over the elements that a thread of this process has shared. @throws IloraError `engine` */
export function adopt(shared: SharedTensor): Tensor {
  try {
    return new Tensor(native().adopt(shared));
  } catch (error) {
    throw new IloraError(
      'engine',
      `adopt(${show(shared)}): ${(error as Error).message}`,
      {},
      error,
    );
  }
}
