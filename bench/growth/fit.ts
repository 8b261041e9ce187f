/**
 * How a cost grows: cost = c · sizeᵏ, fitted by least squares on logarithms.
 */

/** What was measured at one size. */
export interface Point {
  size: number;
  cost: number;
}

/** A fitted exponent; two points have no residual, so no error. */
export interface Fit {
  exponent: number;
  /** c: the cost at size 1. */
  scale: number;
  standardError?: number;
  /** Sizes it rests on. */
  from: number;
  to: number;
}

/** @throws RangeError below two sizes, or for a size or cost that is not positive */
export function fitExponent(points: readonly Point[]): Fit {
  if (new Set(points.map(({ size }) => size)).size < 2)
    throw new RangeError(`fitExponent: expected two sizes or more, got ${points.length} points`);
  if (points.some(({ size, cost }) => !(size > 0 && cost > 0)))
    throw new RangeError('fitExponent: expected positive sizes and costs');
  const x = points.map(({ size }) => Math.log(size));
  const y = points.map(({ cost }) => Math.log(cost));
  const [meanX, meanY] = [mean(x), mean(y)];
  const sxx = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  const sxy = x.reduce((sum, value, i) => sum + (value - meanX) * ((y[i] as number) - meanY), 0);
  const exponent = sxy / sxx;
  const residual = x.reduce((sum, value, i) => {
    const predicted = meanY + exponent * (value - meanX);
    return sum + ((y[i] as number) - predicted) ** 2;
  }, 0);
  const free = points.length - 2;
  const sizes = points.map(({ size }) => size);
  return {
    exponent,
    scale: Math.exp(meanY - exponent * meanX),
    ...(free > 0 && { standardError: Math.sqrt(residual / free / sxx) }),
    from: Math.min(...sizes),
    to: Math.max(...sizes),
  };
}

/** The points of the larger sizes, where what does not grow weighs least: half of the sizes, but three at least. */
export function upperHalf(points: readonly Point[]): Point[] {
  const sizes = [...new Set(points.map(({ size }) => size))].sort((a, b) => a - b);
  const kept = sizes.slice(-Math.max(3, Math.ceil(sizes.length / 2)));
  return points.filter(({ size }) => kept.includes(size));
}

/** Grows faster than in proportion, by more than measuring explains. */
export function isWorseThanLinear(
  { exponent, standardError = 0 }: Pick<Fit, 'exponent' | 'standardError'>,
  limit = 1.1,
): boolean {
  return exponent - standardError > limit;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
