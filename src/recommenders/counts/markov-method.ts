/**
 * Markov chains of several steps as a method.
 */
import { z } from 'zod';
import { choiceShape, choiceWindows, openShape } from '../choice.js';
import { FittedModel } from '../fitted.js';
import { defineMethod } from '../method.js';
import { chooseMarkov, markovStorage, ranges } from './markov.js';

const shape = {
  markov: z
    .strictObject({
      window: ranges.window.default(20).describe('places that a transition spans at most'),
      ...openShape(ranges, {
        fade: 'weight of a transition relative to one over a place less',
        decay: 'weight of a history item relative to the next newer one',
        normalization: '0: raw counts, 0.5: cosine',
      }),
      shrinkage: ranges.shrinkage
        .default(10)
        .describe("added to an item's count, so that rare items do not win by one transition"),
      ...choiceShape,
    })
    .prefault({}),
};

export const markov = defineMethod({
  name: 'markov',
  label: 'Markov chains',
  summary: 'how often an item followed those of the history, over several steps',
  capabilities: ['recommender', 'retriever'],
  needs: { base: false, encoder: false, texts: false, members: false },
  shape,
  build: (_settings, { dataset }) => new FittedModel(markovStorage(dataset.catalog.size)),
  leastValues: (_settings, { dataset }) => dataset.catalog.size,
  learning: {
    kind: 'fit',
    async fit(model, { markov: { protocol, ...given } }, { dataset }, { signal }) {
      model.fitted = await chooseMarkov(
        {
          catalogSize: dataset.catalog.size,
          sequences: [...dataset.sequencesOf('train')],
          ...given,
        },
        choiceWindows(dataset, protocol),
        signal,
      );
      const { fade, decay, normalization } = model.fitted.settings;
      return { fade, decay, normalization };
    },
  },
});
