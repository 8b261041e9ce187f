/**
 * Windowed co-occurrence: a candidate scores by how often training users met it near the items of
 * the history. No network, a few kilobytes, and close to published language-model figures where
 * negatives are uniform; any neural method should be read beside it.
 *
 * Item-to-item counting is as old as G. Linden et al. (IEEE Internet Computing 2003); the cosine
 * normalisation is theirs. The window follows sequential data, the shrinkage and the fading are ours.
 */
import { z } from 'zod';
import type { Instance } from '../../data/index.js';
import { choose, inRange } from '../choice.js';
import type { Storage } from '../fitted.js';
import type { CountOptions } from './counting.js';
import { countPairs, type PairCounts } from './pair-counts.js';
import { PairRecommender, pairRanges, pairStorage } from './pair-recommender.js';

/** What the settings may be; one left out is the first value of the grid. */
export const ranges = { window: z.int().positive(), ...pairRanges };

/** Settings; `window` is the number of places that two items which meet are apart at most. */
export type CooccurrenceSettings = Partial<Record<keyof typeof ranges, number | undefined>>;

/** What `chooseCooccurrence` tries, defaults first. */
const GRID = {
  window: [10, 3, 20],
  shrinkage: [10],
  decay: [0.8, 0.7, 1],
  normalization: [0.5, 0.25, 0],
} as const;

/** n(i, j) counts the meetings of two items in either order. */
export class Cooccurrence extends PairRecommender<'window'> {
  readonly name = 'cooccurrence';

  constructor({
    catalogSize,
    sequences,
    pairs,
    ...given
  }: CountOptions & CooccurrenceSettings & { pairs?: PairCounts }) {
    const {
      window = GRID.window[0],
      decay = GRID.decay[0],
      normalization = GRID.normalization[0],
      shrinkage = GRID.shrinkage[0],
    } = given;
    const settings = { window, decay, normalization, shrinkage };
    inRange(settings, ranges, { code: 'usage', where: 'Cooccurrence' });
    super(pairs ?? countMeetings({ catalogSize, sequences }, window), settings);
  }
}

/** Chooses what is left open of window, decay and normalisation on validation instances; never pass test rows. */
export async function chooseCooccurrence(
  { catalogSize, sequences, ...given }: CountOptions & CooccurrenceSettings,
  validation: readonly Instance[],
  signal?: AbortSignal,
): Promise<Cooccurrence> {
  let counted: { window: number; pairs: PairCounts } | undefined;
  return choose(
    {
      where: 'cooccurrence',
      grid: GRID,
      given,
      fit(settings) {
        const { window } = settings;
        if (counted?.window !== window)
          counted = { window, pairs: countMeetings({ catalogSize, sequences }, window) };
        return new Cooccurrence({ catalogSize, sequences: [], pairs: counted.pairs, ...settings });
      },
      validation,
      catalogSize,
    },
    signal,
  );
}

/** The meetings as three columns, with the settings that were chosen. */
export function cooccurrenceStorage(catalogSize: number): Storage<Cooccurrence> {
  return pairStorage(
    catalogSize,
    ranges,
    (pairs, settings) => new Cooccurrence({ catalogSize, sequences: [], pairs, ...settings }),
  );
}

function countMeetings(options: CountOptions, window: number): PairCounts {
  const rule = { window, weightOf: () => 1, isDirected: false };
  return countPairs(options, rule, 'Cooccurrence');
}
