/**
 * What became of one row: where the target landed, or which candidate the generated text named.
 *
 * Ties count against the method: the target's place is one more than the number of *other* candidates
 * whose score is at least the target's. A method that scores all candidates alike therefore has no
 * hit, and every place stays a whole number, so hits can be counted and tested exactly. `numTied`
 * says how often this mattered.
 */
import type { Instance, Protocol } from '../data/index.js';
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
  /** Of the candidates; −∞ where the filter took one out. */
  scores?: readonly number[];
  /** Items that negatives are drawn from, where candidates come from a draw. */
  pool?: number;
  /** Items that score at least what the target scores, of all outside the history; where the whole catalog was scored. */
  rivals?: number;
  /** The filter took out the target itself: the user had it before. It is never found. */
  isRepeat?: true;
  gates?: readonly number[];
  /** The generated text. */
  text?: string;
}

/** What is known of a row beside its scores. */
export interface OutcomeOptions {
  /** In `history`, what the user has had is no answer: it gets the score −∞. */
  protocol?: Protocol;
  /** Scores of the whole catalog in the same query; those of the candidates are taken from them. */
  catalogScores?: readonly number[];
}

/**
 * Places the target among the scored candidates, and in the catalog where all of it was scored.
 *
 * place = 1 + |{c ≠ target : score(c) ≥ score(target)}|
 * rivals = |{i ∉ history, i ≠ target : score(i) ≥ score(target)}|
 *
 * A repeat, a target that the filter takes out, has the last place and the whole pool as rivals.
 *
 * @throws IloraError (`data`) if scores and candidates disagree, a score is NaN or +∞, or the target is not
 *   a candidate exactly once
 */
export function outcomeOf(
  instance: Instance,
  { scores: given, gates }: Scored,
  { protocol = 'window', catalogScores }: OutcomeOptions = {},
): Outcome {
  const { row, user, target, candidates, pool } = instance;
  const where = `row ${row}`;
  if (given.length !== candidates.length)
    throw mismatch('data', {
      where,
      expected: `${candidates.length} scores, one per candidate`,
      got: given.length,
    });
  const had = new Set(protocol === 'history' ? instance.history : []);
  const scores =
    had.size === 0
      ? given
      : given.map((score, index) =>
          had.has(candidates[index]!) && !Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score,
        );
  const column = targetColumn(instance);
  const targetScore = scores[column]!;
  let place = 1;
  let numTied = 0;
  let best = column;
  scores.forEach((score, index) => {
    if (Number.isNaN(score) || score === Number.POSITIVE_INFINITY)
      throw mismatch('data', { where, expected: 'scores that are numbers', got: [...scores] });
    if (index === column) return;
    if (score >= targetScore) place++;
    if (score === targetScore) numTied++;
    // At equal scores the target is not the answer, and the earlier candidate is.
    if (score > scores[best]! || (best === column && score === targetScore)) best = index;
  });
  const isRepeat = had.has(target);
  const rivals = catalogScores && rivalsOf(instance, catalogScores);
  return {
    row,
    user,
    target,
    candidates,
    answer: candidates[best]!,
    hit: place === 1,
    place,
    numTied,
    scores,
    ...(pool !== undefined && { pool }),
    ...(rivals !== undefined && {
      rivals: isRepeat ? (pool ?? catalogScores!.length - 1) : rivals,
    }),
    ...(isRepeat && { isRepeat }),
    ...(gates && { gates }),
  };
}

/** Items outside the history that score at least what the target scores. */
function rivalsOf({ row, history, target }: Instance, scores_N: readonly number[]): number {
  const targetScore = scores_N[target]!;
  let rivals = -1; // the target reaches its own score
  for (const score of scores_N) {
    if (score >= targetScore) rivals++;
    else if (!(score < targetScore))
      throw mismatch('data', {
        where: `row ${row}`,
        expected: 'scores of the catalog that are numbers',
        got: score,
      });
  }
  const had = new Set(history).add(target);
  had.delete(target);
  for (const item of had) if (scores_N[item]! >= targetScore) rivals--;
  return rivals;
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
