/**
 * Windowed co-occurrence as a method.
 */
import { z } from 'zod';
import { FittedModel } from '../fitted.js';
import { defineMethod } from '../method.js';
import { chooseCooccurrence, cooccurrenceStorage } from './cooccurrence.js';

const onValidation = 'left out: chosen on validation';

const shape = {
  cooccurrence: z
    .strictObject({
      window: z
        .int()
        .positive()
        .optional()
        .describe(`items meet when at most so many places apart; ${onValidation}`),
      decay: z
        .number()
        .gt(0)
        .max(1)
        .optional()
        .describe(`weight of a history item relative to the next newer one; ${onValidation}`),
      normalization: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(`0: raw counts, 0.5: cosine; ${onValidation}`),
      shrinkage: z
        .number()
        .min(0)
        .default(10)
        .describe("added to an item's count, so that rare items do not win by one meeting"),
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
    async fit(model, { cooccurrence: settings }, { dataset }, { signal }) {
      model.fitted = await chooseCooccurrence(
        {
          catalogSize: dataset.catalog.size,
          sequences: [...dataset.sequencesOf('train')],
          ...settings,
        },
        [...dataset.instances('validation')],
        signal,
      );
      const { window, decay, normalization } = model.fitted.settings;
      return { window, decay, normalization };
    },
  },
});
