/**
 * What chance alone would give: exact binomial tails.
 *
 * An audit of a hundred rows must not cry wolf, so a share counts as high only where chance, or a
 * tolerated level, would hardly ever give it.
 */

/** Probability below which chance is ruled out; ten checks on a thousand datasets cry wolf about once. */
export const rare = 1e-4;

/** log(n!) by Stirling's series, exact to 1e-10 from 10 on and by summing below. */
function logFactorial(n: number): number {
  if (n < 10) {
    let sum = 0;
    for (let k = 2; k <= n; k++) sum += Math.log(k);
    return sum;
  }
  return (
    n * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI * n) +
    1 / (12 * n) -
    1 / (360 * n ** 3) +
    1 / (1260 * n ** 5)
  );
}

/**
 * P(X ≥ count) for X ~ Binomial(total, share).
 *
 * @param share  in [0, 1]
 */
export function binomialTail(count: number, total: number, share: number): number {
  if (count <= 0) return 1;
  if (count > total || share <= 0) return 0;
  if (share >= 1) return 1;
  const term = (k: number): number =>
    Math.exp(
      logFactorial(total) -
        logFactorial(k) -
        logFactorial(total - k) +
        k * Math.log(share) +
        (total - k) * Math.log1p(-share),
    );
  // Sum the side that falls from `count` on; the other one would lose the tail in rounding.
  let sum = 0;
  if (count >= total * share) {
    for (let k = count; k <= total; k++) {
      const part = term(k);
      sum += part;
      if (part < sum * 1e-15) break;
    }
    return Math.min(1, sum);
  }
  for (let k = count - 1; k >= 0; k--) {
    const part = term(k);
    sum += part;
    if (part < sum * 1e-15) break;
  }
  return Math.max(0, 1 - sum);
}

/** Whether `count` of `total` is more than a tolerated share can explain. */
export function isAbove(count: number, total: number, tolerated: number): boolean {
  return total > 0 && count / total > tolerated && binomialTail(count, total, tolerated) < rare;
}
