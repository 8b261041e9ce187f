/**
 * ★ How low-rank updates reach the layers they stand on: one or several at once, over the same input.
 *
 * Query, key and value read one input, and so do gate and up. Their updates share one dropout and one product with all
 * `down` factors side by side. Each then adds its `up` product to its base's output in place. These are fewer and wider
 * products and fewer passes than a layer at a time, with the same numbers (docs/performance.md has the gain).
 */
import type { Dropout, LinearLayer, Pass } from '../nn/index.js';
import {
  addProduct_,
  cast,
  cat,
  dims,
  linear,
  mul,
  reshape,
  split,
  type Tensor,
  transpose,
} from '../tensor/index.js';

/** A frozen layer with a low-rank update: y = base(x) + scale · ((x downᵀ) · weights) upᵀ. */
export interface LowRankLayer extends LinearLayer {
  readonly base: LinearLayer;
  readonly down: Tensor; // [R, I]
  readonly up: Tensor; // [O, R]
  readonly scale: number;
  readonly dropout: Dropout;
  /**
   * Weights of E equal blocks of the ranks per instance, [B, E], or per position, [B, T, E]; undefined where all are 1.
   * Layers that give the same tensor have the same weights.
   * @throws ShapeError if x is not [B, T, I], or the pass lacks what the layer needs
   */
  blockWeights(x: Tensor, pass?: Pass): Tensor | undefined;
}

/**
 * Outputs of layers over one input, in the layers' order; layers of different kind or dropout go one by one.
 * @param given each a `LowRankLayer`: only those name this function as theirs
 * @param x     [..., I]; [B, T, I] where ranks are weighted
 * @throws ShapeError if x has another width than a layer
 */
export function forwardLowRank(given: readonly LinearLayer[], x: Tensor, pass?: Pass): Tensor[] {
  const layers = given as readonly LowRankLayer[];
  const [first] = layers as readonly [LowRankLayer];
  if (layers.some((layer) => !isAlike(layer, first)))
    return layers.flatMap((layer) => forwardLowRank([layer], x, pass));
  for (const { inFeatures } of layers)
    dims(`${first.constructor.name}.forward(x)`, x, '... I', { I: inFeatures });
  const weights = layers.flatMap((layer) => layer.blockWeights(x, pass) ?? []);
  if (new Set(weights.map(({ shape }) => shape.length)).size > 1)
    return layers.flatMap((layer) => forwardLowRank([layer], x, pass));
  const { dtype, shape } = x;
  const inDtype = (tensor: Tensor): Tensor =>
    tensor.dtype === dtype ? tensor : cast(tensor, dtype);
  const R = first.down.axis(0);
  const N = x.size / first.inFeatures;
  const down_XI = join(
    layers.map(({ down }) => down),
    0,
  );
  const { kept, scale } = first.dropout.zeroSome(x, pass);
  const low = linear(kept, inDtype(down_XI));
  const mixed = weights.length === 0 ? low : weighted(low, weights, layers.length);
  const mixed_NX = reshape(mixed, [N, layers.length * R]);
  const ranks = layers.map(() => R);
  const parts = layers.length === 1 ? [mixed_NX] : split(mixed_NX, ranks, 1);

  const flat_NI = reshape(x, [N, first.inFeatures]);
  return layers.map((layer, i) => {
    const y_NO = layer.base.forward(flat_NI, pass);
    const up_RO = transpose(inDtype(layer.up), 0, 1);
    addProduct_(y_NO, parts[i] as Tensor, up_RO, layer.scale * scale);
    return reshape(y_NO, [...shape.slice(0, -1), layer.outFeatures]);
  });
}

/**
 * low [B, T, n·R] of n layers, every block of R/E ranks times its weight in its layer, [B, E] or [B, T, E] of each.
 * @returns [B, T, n, E, R/E]
 */
function weighted(low: Tensor, weights: readonly Tensor[], n: number): Tensor {
  const [first] = weights as readonly [Tensor];
  const [B, T, X] = low.shape as [number, number, number];
  const isShared = weights.every((each) => each === first);
  const all = isShared ? first : join(weights, -1);
  const E = first.axis(-1);
  const U = first.shape.length === 3 ? T : 1;
  const own = all.dtype === low.dtype ? all : cast(all, low.dtype);
  const blocks = reshape(low, [B, T, n, E, X / (n * E)]);
  return mul(blocks, reshape(own, [B, U, isShared ? 1 : n, E, 1]));
}

/** Whether two layers can share a dropout and a product: of one rank, and both weight it or neither does. */
function isAlike(layer: LowRankLayer, other: LowRankLayer): boolean {
  return (
    layer.constructor === other.constructor &&
    layer.dropout.probability === other.dropout.probability &&
    layer.down.axis(0) === other.down.axis(0)
  );
}

function join(tensors: readonly Tensor[], axis: number): Tensor {
  return tensors.length === 1 ? (tensors[0] as Tensor) : cat(tensors, axis);
}
