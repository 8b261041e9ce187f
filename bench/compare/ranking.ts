/**
 * Whether two programs order the candidates of each row alike.
 */

/** What a comparison of scores found. */
export interface Agreement {
  rows: number;
  /** Rows whose orders differ by more than candidates of equal scores. */
  differing: number[];
  /** Share of rows with the same first candidate. */
  sameFirst: number;
  /** Largest difference of two scores, in nats. */
  largestDifference: number;
}

/** Candidates closer than this in the reference may stand in either order, in nats. */
const TIE = 1e-4;

/** @param reference scores by row and candidate, higher is better */
export function agreement(
  scores: readonly (readonly number[])[],
  reference: readonly (readonly number[])[],
): Agreement {
  const differing: number[] = [];
  let sameFirst = 0;
  let largestDifference = 0;
  for (const [row, wanted] of reference.entries()) {
    const own = scores[row] ?? [];
    const [order, wantedOrder] = [orderOf(own), orderOf(wanted)];
    const isSame =
      own.length === wanted.length &&
      order.every((candidate, place) => {
        const other = wantedOrder[place] as number;
        return Math.abs((wanted[candidate] as number) - (wanted[other] as number)) <= TIE;
      });
    if (!isSame) differing.push(row);
    if (order[0] === wantedOrder[0]) sameFirst++;
    for (const [candidate, score] of wanted.entries())
      largestDifference = Math.max(
        largestDifference,
        Math.abs(score - (own[candidate] ?? Number.NaN)),
      );
  }
  return {
    rows: reference.length,
    differing,
    sameFirst: sameFirst / reference.length,
    largestDifference,
  };
}

/** Candidates from the best to the worst. */
function orderOf(scores: readonly number[]): number[] {
  return scores
    .map((_, i) => i)
    .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}
