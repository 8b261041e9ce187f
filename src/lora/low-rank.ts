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
   * Weight of each rank per instance, [B, 1, R], or per position, [B, T, R]; undefined where all are 1.
   * @throws ShapeError if x is not [B, T, I], or the pass lacks what the layer needs
   */
  rankWeights(x: Tensor, pass?: Pass): Tensor | undefined;
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
  const { dtype, shape } = x;
  const ranks = layers.map(({ down }) => down.axis(0));
  const R = ranks.reduce((total, rank) => total + rank);
  const N = x.size / first.inFeatures;

  const down_RI = cast(
    join(
      layers.map(({ down }) => down),
      0,
    ),
    dtype,
  );
  const { kept, scale } = first.dropout.zeroSome(x, pass);
  const low = linear(kept, down_RI);
  const weights = layers.flatMap((layer) => layer.rankWeights(x, pass) ?? []);
  const mixed = weights.length === 0 ? low : mul(low, cast(join(weights, 2), dtype));
  const mixed_NR = reshape(mixed, [N, R]);
  const parts = layers.length === 1 ? [mixed_NR] : split(mixed_NR, ranks, 1);

  const flat_NI = reshape(x, [N, first.inFeatures]);
  return layers.map((layer, i) => {
    const y_NO = layer.base.forward(flat_NI, pass);
    const up_RO = transpose(cast(layer.up, dtype), 0, 1);
    addProduct_(y_NO, parts[i] as Tensor, up_RO, layer.scale * scale);
    return reshape(y_NO, [...shape.slice(0, -1), layer.outFeatures]);
  });
}

/** Whether two layers can share a dropout and a product: both weight their ranks, or neither does. */
function isAlike(layer: LowRankLayer, other: LowRankLayer): boolean {
  return (
    layer.constructor === other.constructor &&
    layer.dropout.probability === other.dropout.probability
  );
}

function join(tensors: readonly Tensor[], axis: number): Tensor {
  return tensors.length === 1 ? (tensors[0] as Tensor) : cat(tensors, axis);
}
