/**
 * What became of one row: where the target landed, or which candidate the generated text named.
 *
 * Ties count against the method: the target's place is one more than the number of *other* candidates
 * whose score is at least the target's. A method that scores all candidates alike therefore has no
 * hit, and every place stays a whole number, so hits can be counted and tested exactly. `numTied`
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
  place?: number;
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
 * place = 1 + |{c ≠ target : score(c) ≥ score(target)}|
 *
 * @throws IloraError (`data`) if scores and candidates disagree, a score is NaN, or the target is not
 *   a candidate exactly once
 */
export function outcomeOf(instance: Instance, { scores, gates }: Scored): Outcome {
  const { row, user, target, candidates } = instance;
  const where = `row ${row}`;
  if (scores.length !== candidates.length)
    throw mismatch('data', {
      where,
      expected: `${candidates.length} scores, one per candidate`,
      got: scores.length,
    });
  const column = targetColumn(instance);
  const targetScore = scores[column]!;
  let place = 1;
  let numTied = 0;
  let best = column;
  scores.forEach((score, index) => {
    if (Number.isNaN(score))
      throw mismatch('data', { where, expected: 'scores that are numbers', got: [...scores] });
    if (index === column) return;
    if (score >= targetScore) place++;
    if (score === targetScore) numTied++;
    // At equal scores the target is not the answer, and the earlier candidate is.
    if (score > scores[best]! || (best === column && score === targetScore)) best = index;
  });
  const answer = candidates[best]!;
  return {
    row,
    user,
    target,
    candidates,
    answer,
    hit: place === 1,
    place,
    numTied,
    scores,
    ...(gates === undefined ? {} : { gates }),
  };
}

/** Where the target stands among the instance's candidates, from 0. */
export function targetColumn({ row, target, candidates }: Instance): number {
  const column = candidates.indexOf(target);
  if (column < 0 || candidates.indexOf(target, column + 1) >= 0)
    throw mismatch('data', {
      where: `row ${row}`,
      expected: `target ${target} among the candidates exactly once`,
      got: [...candidates],
    });
  return column;
}
