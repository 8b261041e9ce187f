/**
 * Does the target stand at a preferred place of its candidate list? Models that read the list in a
 * prompt, and rules that break ties by place, would profit.
 *
 * Two ways to guess: always one place, and a fixed step from the place in the row before. The most
 * frequent of either is compared with chance by an exact binomial tail times the number of places.
 */
import type { Dataset } from '../data/index.js';
import { frozenSplitNames } from '../data/index.js';
import { binomialTail, rare } from './chance.js';
import { type Check, type Finding, percent } from './finding.js';

const severeFrom = 0.25;

export const candidatePosition: Check = {
  id: 'candidate-position',
  run(dataset: Dataset): Finding {
    const { count } = dataset.manifest.candidates;
    const chance = 1 / count;
    const splits = Object.fromEntries(
      frozenSplitNames.map((split) => [split, placesIn(dataset, split, count)]),
    );
    const shares = Object.values(splits).flatMap(({ rows, mostFrequent, mostFrequentStep }) => [
      { share: mostFrequent.share, probability: mostFrequent.probability, rows },
      { share: mostFrequentStep.share, probability: mostFrequentStep.probability, rows },
    ]);
    const biased = shares.filter(({ probability }) => probability < rare);
    const worstShare = Math.max(0, ...biased.map(({ share }) => share));
    const severity =
      biased.length === 0
        ? 'info'
        : worstShare >= chance + severeFrom * (1 - chance)
          ? 'severe'
          : 'warning';
    const { test } = splits;
    return {
      id: 'candidate-position',
      severity,
      isKnown: shares.some(({ rows }) => rows > 0),
      figures: { candidates: count, chance, ...splits },
      figure: `test targets stand most often at place ${test!.mostFrequent.place} (${percent(test!.mostFrequent.share)}, chance ${percent(chance)}); mean place ${test!.mean.toFixed(1)} of ${count}`,
      message:
        severity === 'info'
          ? 'Targets stand anywhere in their lists.'
          : 'The place in the list gives the target away.',
      advice:
        severity === 'info'
          ? ''
          : 'Shuffle every candidate list with a seed of its own, or import the data again.',
    };
  },
};

interface Guess {
  /** Place from 1, or step. */
  place: number;
  share: number;
  probability: number;
}

function placesIn(
  dataset: Dataset,
  split: (typeof frozenSplitNames)[number],
  count: number,
): {
  rows: number;
  mean: number;
  mostFrequent: Guess & Record<string, number>;
  mostFrequentStep: Guess & Record<string, number>;
} {
  const places = new Int32Array(count);
  const steps = new Int32Array(count);
  let before = -1;
  let rows = 0;
  let sum = 0;
  for (let row = 0; row < dataset.rows(split); row++) {
    const { candidates, target } = dataset.instance(split, row);
    const place = candidates.indexOf(target);
    if (place < 0) continue;
    places[place]!++;
    rows++;
    sum += place + 1;
    if (before >= 0) steps[(place - before + count) % count]!++;
    before = place;
  }
  return {
    rows,
    mean: rows === 0 ? 0 : sum / rows,
    mostFrequent: guess(places, rows, 1),
    mostFrequentStep: guess(steps, Math.max(0, rows - 1), 0),
  };
}

function guess(counts: Int32Array, rows: number, offset: number): Guess & Record<string, number> {
  let best = 0;
  for (let i = 1; i < counts.length; i++) if (counts[i]! > counts[best]!) best = i;
  const { length } = counts;
  return {
    place: best + offset,
    share: rows === 0 ? 0 : counts[best]! / rows,
    probability: Math.min(1, length * binomialTail(counts[best]!, rows, 1 / length)),
  };
}
