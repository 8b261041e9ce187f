/**
 * Popularity as a method.
 */
import { FittedModel } from '../fitted.js';
import { defineMethod } from '../method.js';
import { Popularity, popularityStorage } from './popularity.js';

export const popularity = defineMethod({
  name: 'popularity',
  label: 'Popularity',
  summary: 'how often each item was chosen in training',
  capabilities: ['recommender', 'retriever'],
  needs: { base: false, encoder: false, members: false, texts: false },
  isYardstick: true,
  shape: {},
  build: (_settings, { dataset }) => new FittedModel(popularityStorage(dataset.catalog.size)),
  leastValues: (_settings, { dataset }) => dataset.catalog.size,
  learning: {
    kind: 'fit',
    async fit(model, _settings, { dataset }) {
      model.fitted = new Popularity({
        catalogSize: dataset.catalog.size,
        sequences: [...dataset.sequencesOf('train')],
      });
      return undefined;
    },
  },
});
