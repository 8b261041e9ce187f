/**
 * What became of one row: where the target landed, or which candidate the generated text named.
 *
 * Ties count against the method: the target's rank is one more than the number of *other* candidates
 * whose score is at least the target's. A method that scores all candidates alike therefore has no
 * hit, and every rank stays a whole number, so hits can be counted and tested exactly. `numTied`
 * says how often this mattered.
 */
import type { Instance } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import type { Scored } from '../recommenders/index.js';

/** One row's outcome. */
export interface Outcome {
  row: number;
  user: string;
  target: number;
  /** The instance's candidates, in their frozen order. */
  candidates: readonly number[];
  /** The item ranked first or named by the text; undefined when the text names no candidate. */
  answer: number | undefined;
  hit: boolean;
  /** The target's place, from 1; undefined where text was generated. */
  rank?: number;
  /** Other candidates with exactly the target's score. */
  numTied?: number;
  scores?: readonly number[];
  gates?: readonly number[];
  /** The generated text. */
  text?: string;
}

/**
 * Places the target among the scored candidates.
 *
 * rank = 1 + |{c ≠ target : score(c) ≥ score(target)}|
 *
 * @throws IloraError (`data`) if scores and candidates disagree, a score is NaN, or the target is not
 *   a candidate exactly once
 */
export function rankOutcome(instance: Instance, { scores, gates }: Scored): Outcome {
  const { row, user, target, candidates } = instance;
  const where = `row ${row}`;
  if (scores.length !== candidates.length)
    throw mismatch('data', {
      where,
      expected: `${candidates.length} scores, one per candidate`,
      got: scores.length,
    });
  const place = targetPlace(instance);
  const targetScore = scores[place]!;
  let rank = 1;
  let numTied = 0;
  let best = place;
  scores.forEach((score, index) => {
    if (Number.isNaN(score))
      throw mismatch('data', { where, expected: 'scores that are numbers', got: [...scores] });
    if (index === place) return;
    if (score >= targetScore) rank++;
    if (score === targetScore) numTied++;
    // At equal scores the target is not the answer, and the earlier candidate is.
    if (score > scores[best]! || (best === place && score === targetScore)) best = index;
  });
  const answer = candidates[best]!;
  return {
    row,
    user,
    target,
    candidates,
    answer,
    hit: rank === 1,
    rank,
    numTied,
    scores,
    ...(gates === undefined ? {} : { gates }),
  };
}

/** Place of the target in the instance's candidates. */
export function targetPlace({ row, target, candidates }: Instance): number {
  const place = candidates.indexOf(target);
  if (place < 0 || candidates.indexOf(target, place + 1) >= 0)
    throw mismatch('data', {
      where: `row ${row}`,
      expected: `target ${target} among the candidates exactly once`,
      got: [...candidates],
    });
  return place;
}
