/**
 * Gradient clipping by the norm of all gradients together.
 */
import { foreach, noGrad, square, stack, sum, type Tensor } from '../tensor/index.js';

/**
 * Scales gradients so that their joint Euclidean norm is at most `maxNorm`, as torch.nn.utils.clip_grad_norm_.
 * @returns the norm before clipping; not finite where a gradient is not
 */
export function clipGradients(parameters: readonly Tensor[], maxNorm: number): number {
  return noGrad(() => {
    const gradients = parameters
      .map((tensor) => tensor.grad)
      .filter((gradient) => gradient !== undefined);
    if (gradients.length === 0) return 0;
    const norms = foreach.norm(gradients);
    const norm = Math.sqrt(sum(square(stack(norms, 0))).item());
    if (norm > maxNorm) foreach.mulNumber_(gradients, maxNorm / (norm + 1e-6));
    return norm;
  });
}
