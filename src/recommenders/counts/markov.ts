/**
 * Markov chains of several steps: a candidate scores by how often it followed the items of the history in training.
 *
 * A transition over d places counts fade^(d−1), so one that is near counts more. With a window of 1 it is the chain of
 * first order of S. Rendle et al. (WWW 2010) without its factors; longer ones are the sequential neighbourhoods of
 * M. Ludewig & D. Jannach (UMUAI 2018, "sequential rules"). Differs: transitions are normalised by both items'
 * totals, as co-occurrence is, and shrunk.
 */
import { z } from 'zod';
import type { Instance } from '../../data/index.js';
import { choose, inRange } from '../choice.js';
import type { Storage } from '../fitted.js';
import type { CountOptions } from './counting.js';
import { countPairs, type PairCounts } from './pair-counts.js';
import { PairRecommender, pairRanges, pairStorage } from './pair-recommender.js';

/** What the settings may be; one left out is the first value of the grid. */
export const ranges = {
  window: z.int().positive(),
  fade: z.number().gt(0).max(1),
  ...pairRanges,
};

/** Settings: a transition spans at most `window` places and counts `fade` of one that is a place shorter. */
export type MarkovSettings = Partial<Record<keyof typeof ranges, number | undefined>>;

/** What `chooseMarkov` tries, defaults first. */
const GRID = {
  window: [20],
  fade: [0.9, 0.7, 1],
  shrinkage: [10],
  decay: [0.8, 0.7, 0.9, 0.95],
  normalization: [0.5, 0.35, 0.25],
} as const;

/** n(i, j) is the weight of the transitions from i to j. */
export class Markov extends PairRecommender<'window' | 'fade'> {
  readonly name = 'markov';

  constructor({
    catalogSize,
    sequences,
    pairs,
    ...given
  }: CountOptions & MarkovSettings & { pairs?: PairCounts }) {
    const {
      window = GRID.window[0],
      fade = GRID.fade[0],
      decay = GRID.decay[0],
      normalization = GRID.normalization[0],
      shrinkage = GRID.shrinkage[0],
    } = given;
    const settings = { window, fade, decay, normalization, shrinkage };
    inRange(settings, ranges, { code: 'usage', where: 'Markov' });
    super(pairs ?? countTransitions({ catalogSize, sequences }, window, fade), settings);
  }
}

/** Chooses what is left open of window, fade, decay and normalisation on validation instances; never pass test rows. */
export async function chooseMarkov(
  { catalogSize, sequences, ...given }: CountOptions & MarkovSettings,
  validation: readonly Instance[],
  signal?: AbortSignal,
): Promise<Markov> {
  let counted: { key: string; pairs: PairCounts } | undefined;
  return choose(
    {
      where: 'markov',
      grid: GRID,
      given,
      fit(settings) {
        const { window, fade } = settings;
        const key = `${window} ${fade}`;
        if (counted?.key !== key)
          counted = { key, pairs: countTransitions({ catalogSize, sequences }, window, fade) };
        return new Markov({ catalogSize, sequences: [], pairs: counted.pairs, ...settings });
      },
      validation,
      catalogSize,
    },
    signal,
  );
}

/** The transitions as three columns, with the settings that were chosen. */
export function markovStorage(catalogSize: number): Storage<Markov> {
  return pairStorage(
    catalogSize,
    ranges,
    (pairs, settings) => new Markov({ catalogSize, sequences: [], pairs, ...settings }),
  );
}

function countTransitions(options: CountOptions, window: number, fade: number): PairCounts {
  const rule = { window, weightOf: (d: number) => fade ** (d - 1), isDirected: true };
  return countPairs(options, rule, 'Markov');
}
