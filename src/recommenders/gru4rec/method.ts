/**
 * GRU4Rec as a method.
 */
import { z } from 'zod';
import type { Dataset } from '../../data/index.js';
import { type Device, Generator } from '../../tensor/index.js';
import { defineMethod } from '../method.js';
import { sequenceModel } from '../sequence/model.js';
import {
  historyLength,
  sequenceLearning,
  sequenceShape,
  withOwnRows,
} from '../sequence/settings.js';
import { GRU4Rec, type GRU4RecOptions } from './gru4rec.js';

const shape = {
  gru4rec: z
    .strictObject({
      layers: z.int().positive().default(1),
      dropout: z
        .number()
        .min(0)
        .lt(1)
        .default(0.2)
        .describe('before each layer; 0 is the shape of the iLoRA authors'),
      ...sequenceShape,
    })
    .prefault({}),
};

type Section = z.output<(typeof shape)['gru4rec']>;

export const gru4rec = defineMethod({
  name: 'gru4rec',
  label: 'GRU4Rec',
  summary: "gated recurrent units over a user's last items (Hidasi et al., ICLR 2016)",
  capabilities: ['recommender', 'retriever', 'encoder'],
  needs: { base: false, encoder: false, members: false, texts: false },
  shape,
  fromEarlier: (settings) => withOwnRows('gru4rec', settings),
  build({ gru4rec: section, seed, device }, { dataset }) {
    const model = new GRU4Rec(optionsOf(section, dataset), new Generator(seed));
    return sequenceModel(model.to(device as Device));
  },
  leastValues: ({ gru4rec: { width, layers } }, { dataset }) =>
    2 * dataset.catalog.size * width + 6 * layers * width * width,
  learning: sequenceLearning((settings: { gru4rec: Section }) => settings.gru4rec),
  encoder: (options: GRU4RecOptions) => new GRU4Rec(options, new Generator(0)).freeze(),
});

function optionsOf(section: Section, dataset: Dataset): GRU4RecOptions {
  const { width, layers, dropout } = section;
  const maxHistory = historyLength(section, dataset);
  return { catalogSize: dataset.catalog.size, maxHistory, width, layers, dropout };
}
