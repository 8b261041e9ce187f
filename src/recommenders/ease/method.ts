/**
 * EASE as a method.
 */
import { z } from 'zod';
import { choiceShape, choiceWindows, openShape } from '../choice.js';
import { FittedModel } from '../fitted.js';
import { defineMethod } from '../method.js';
import { chooseEase, easeStorage, ranges } from './ease.js';

const shape = {
  ease: z
    .strictObject({
      ...openShape(ranges, {
        window: 'a row holds so many neighbours of a sequence; 0: all of it, as in the paper',
        regularization: 'λ of the paper',
        decay: 'weight of a history item relative to the next newer one; 1 in the paper',
      }),
      ...choiceShape,
    })
    .prefault({}),
};

export const ease = defineMethod({
  name: 'ease',
  label: 'EASE',
  summary: 'a linear model from items to items, in closed form (Steck, WWW 2019)',
  capabilities: ['recommender', 'retriever'],
  needs: { base: false, encoder: false, texts: false, members: false },
  shape,
  build: (_settings, { dataset }) => new FittedModel(easeStorage(dataset.catalog.size)),
  leastValues: (_settings, { dataset }) => dataset.catalog.size ** 2,
  learning: {
    kind: 'fit',
    async fit(model, { ease: { protocol, ...given } }, { dataset }, { signal }) {
      model.fitted = await chooseEase(
        {
          catalogSize: dataset.catalog.size,
          sequences: [...dataset.sequencesOf('train')],
          ...given,
        },
        choiceWindows(dataset, protocol),
        signal,
      );
      return model.fitted.settings;
    },
  },
});
