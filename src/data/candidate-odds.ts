/**
 * What a draw of candidates does to a result, in closed form: expectations over all draws.
 *
 * A row's negatives are drawn without replacement from a pool of items. Those of the pool that score at least what
 * the target scores are its rivals. So the number X of rivals among the negatives is hypergeometric, and what is
 * expected over all draws needs no draw. Differs from the sampler, which draws no two items of one title.
 */
import { mismatch } from '../errors/index.js';

/** What the expectations are taken over. */
export interface DrawOdds {
  /** Items that negatives are drawn from, the target not among them. */
  pool: number;
  /** Items of the pool that score at least what the target scores. */
  rivals: number;
  /** Negatives that are drawn. */
  negatives: number;
}

/** P(X = 0): the probability that the target comes first, C(pool − rivals, n) / C(pool, n). */
export function firstPlaceOdds({ pool, rivals, negatives }: DrawOdds): number {
  check({ pool, rivals, negatives });
  return chooseRatio(pool - rivals, pool, negatives);
}

/**
 * E[1 / (1 + X)]: the expected reciprocal of the target's place.
 *
 * As C(K, x) / (x + 1) = C(K + 1, x + 1) / (K + 1), the sum over x is
 * (P + 1) / ((K + 1)(n + 1)) · (1 − C(P − K, n + 1) / C(P + 1, n + 1)).
 */
export function reciprocalPlaceOdds({ pool, rivals, negatives }: DrawOdds): number {
  check({ pool, rivals, negatives });
  const none = chooseRatio(pool - rivals, pool + 1, negatives + 1);
  return ((pool + 1) / ((rivals + 1) * (negatives + 1))) * (1 - none);
}

/** C(a, n) / C(b, n) for a ≤ b. */
function chooseRatio(a: number, b: number, n: number): number {
  let ratio = 1;
  for (let i = 0; i < n && ratio > 0; i++) ratio *= Math.max(0, a - i) / (b - i);
  return ratio;
}

function check(odds: DrawOdds): void {
  const { pool, rivals, negatives } = odds;
  const areWhole = [pool, rivals, negatives].every(
    (value) => Number.isInteger(value) && value >= 0,
  );
  if (!areWhole || rivals > pool || negatives > pool)
    throw mismatch('data', {
      where: 'odds of a candidate draw',
      expected: 'whole numbers, with no more rivals and negatives than the pool has items',
      got: odds,
    });
}
