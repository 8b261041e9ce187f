/**
 * Windowed co-occurrence as a method.
 */
import { z } from 'zod';
import { choiceShape, choiceWindows, openShape } from '../choice.js';
import { FittedModel } from '../fitted.js';
import { defineMethod } from '../method.js';
import { chooseCooccurrence, cooccurrenceStorage, ranges } from './cooccurrence.js';

const shape = {
  cooccurrence: z
    .strictObject({
      ...openShape(ranges, {
        window: 'items meet when at most so many places apart',
        decay: 'weight of a history item relative to the next newer one',
        normalization: '0: raw counts, 0.5: cosine',
      }),
      shrinkage: ranges.shrinkage
        .default(10)
        .describe("added to an item's count, so that rare items do not win by one meeting"),
      ...choiceShape,
    })
    .prefault({}),
};

export const cooccurrence = defineMethod({
  name: 'cooccurrence',
  label: 'Co-occurrence',
  summary: 'how often training users met an item near those of the history',
  capabilities: ['recommender', 'retriever'],
  needs: { base: false, encoder: false, members: false, texts: false },
  isYardstick: true,
  shape,
  build: (_settings, { dataset }) => new FittedModel(cooccurrenceStorage(dataset.catalog.size)),
  leastValues: (_settings, { dataset }) => dataset.catalog.size,
  learning: {
    kind: 'fit',
    async fit(model, { cooccurrence: { protocol, ...given } }, { dataset }, { signal }) {
      model.fitted = await chooseCooccurrence(
        {
          catalogSize: dataset.catalog.size,
          sequences: [...dataset.sequencesOf('train')],
          ...given,
        },
        choiceWindows(dataset, protocol),
        signal,
      );
      const { window, decay, normalization } = model.fitted.settings;
      return { window, decay, normalization };
    },
  },
});
