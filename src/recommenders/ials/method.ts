/**
 * iALS as a method.
 */
import { z } from 'zod';
import { choiceShape, choiceWindows, openShape } from '../choice.js';
import { FittedModel } from '../fitted.js';
import { defineMethod } from '../method.js';
import { chooseIals, ialsStorage, ranges } from './ials.js';

const shape = {
  ials: z
    .strictObject({
      width: ranges.width.default(64).describe('D: width of the factors'),
      iterations: z.int().positive().default(16).describe('times that all factors are solved'),
      ...openShape(ranges, {
        unobservedWeight: 'α₀: weight of what a user has not chosen',
        regularization: 'λ: grows with the number of choices of a user or an item',
        decay: 'weight of a history item relative to the next newer one; 1 in the papers',
      }),
      ...choiceShape,
    })
    .prefault({}),
};

export const ials = defineMethod({
  name: 'ials',
  label: 'iALS',
  summary: 'factors of items with weights on all pairs (Hu et al., ICDM 2008; Rendle et al., 2022)',
  capabilities: ['recommender', 'retriever'],
  needs: { base: false, encoder: false, texts: false, members: false },
  shape,
  build: (_settings, { dataset }) => new FittedModel(ialsStorage(dataset.catalog.size)),
  leastValues: ({ ials: { width } }, { dataset }) => dataset.catalog.size * width,
  learning: {
    kind: 'fit',
    async fit(model, { ials: { protocol, ...given }, seed }, { dataset }, { signal }) {
      model.fitted = await chooseIals(
        {
          catalogSize: dataset.catalog.size,
          sequences: [...dataset.sequencesOf('train')],
          seed,
          ...given,
        },
        choiceWindows(dataset, protocol),
        signal,
      );
      const { unobservedWeight, regularization, decay } = model.fitted.settings;
      return { unobservedWeight, regularization, decay };
    },
  },
});
