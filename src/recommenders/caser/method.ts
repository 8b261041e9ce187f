/**
 * Caser as a method.
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
import { Caser, type CaserOptions } from './caser.js';

const count = z.int().positive();

const shape = {
  caser: z
    .strictObject({
      heights: z
        .array(count)
        .min(1)
        .default([2, 3, 4])
        .describe('items that a horizontal filter covers'),
      channels: count.default(16).describe('horizontal filters of each height'),
      dropout: z.number().min(0).lt(1).default(0.1).describe('on the representation'),
      ...sequenceShape,
    })
    .prefault({}),
};

type Section = z.output<(typeof shape)['caser']>;

export const caser = defineMethod({
  name: 'caser',
  label: 'Caser',
  summary: "convolutions over a user's last items (Tang & Wang, WSDM 2018)",
  capabilities: ['recommender', 'retriever', 'encoder'],
  needs: { base: false, encoder: false, members: false, texts: false },
  shape,
  fromEarlier: (settings) => withOwnRows('caser', settings),
  build({ caser: section, seed, device }, { dataset }) {
    const model = new Caser(optionsOf(section, dataset), new Generator(seed));
    return sequenceModel(model.to(device as Device));
  },
  leastValues: ({ caser: section }, { dataset }) => {
    const { width, heights, channels } = section;
    const perItem = 2 * width + heights.length * channels;
    return dataset.catalog.size * perItem + historyLength(section, dataset);
  },
  learning: sequenceLearning((settings: { caser: Section }) => settings.caser),
  encoder: (options: CaserOptions) => new Caser(options, new Generator(0)).freeze(),
});

function optionsOf(section: Section, dataset: Dataset): CaserOptions {
  const { width, heights, channels, dropout } = section;
  const maxHistory = historyLength(section, dataset);
  return { catalogSize: dataset.catalog.size, maxHistory, width, heights, channels, dropout };
}
