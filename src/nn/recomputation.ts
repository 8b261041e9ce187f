/**
 * Activations computed again for the gradients in place of kept ("activation checkpointing").
 *
 * Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost". Of a chain of parts only the inputs are kept. When
 * gradients are due, each part runs once more, last part first, and gives its own. Memory for
 * activations falls to one part's, for the time of one more forward pass. Dropout repeats its masks.
 */
import { detach, noGrad, type RowStreams, scope, type Tensor } from '../tensor/index.js';

/** One pass of recomputed parts: `leaf` and `through` forward, then the loss's backward, then `backward`. */
export class Recomputation {
  readonly #inputs: { source: Tensor; leaf: Tensor }[] = [];
  readonly #parts: { output: Tensor; again: () => Tensor }[] = [];

  /** x cut off from what made it; `backward` takes the gradient on to there. */
  leaf(x: Tensor): Tensor {
    const leaf = detach(x).setRequiresGrad(true);
    this.#inputs.push({ source: x, leaf });
    return leaf;
  }

  /**
   * body(x) without its activations.
   * @param x       a leaf, or what a part before gave
   * @param streams of the dropout in the body
   */
  through(x: Tensor, body: (x: Tensor) => Tensor, streams?: RowStreams): Tensor {
    const drawn = streams?.drawn;
    const output = noGrad(() => scope(() => body(x))).setRequiresGrad(true);
    this.#parts.push({
      output,
      again: () => {
        if (drawn !== undefined) streams?.rewind(drawn);
        return body(x);
      },
    });
    return output;
  }

  /** Gradients of the parts and of what made the leaves; those of the last output must be there. */
  backward(): void {
    for (const { output, again } of this.#parts.reverse()) {
      scope(() => {
        const gradient = output.grad;
        if (gradient !== undefined) again().backward(gradient);
      });
      output.setGrad();
    }
    for (const { source, leaf } of this.#inputs)
      scope(() => {
        if (source.requiresGrad && leaf.grad !== undefined) source.backward(leaf.grad);
      });
  }
}
