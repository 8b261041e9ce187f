/**
 * SASRec as a method.
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
import { SASRec, type SASRecOptions } from './sasrec.js';

const count = z.int().positive();

const shape = {
  sasrec: z
    .strictObject({
      preset: z
        .enum(['classic', 'modern'])
        .default('modern')
        .describe('classic: the shape of the iLoRA authors; modern: ours'),
      blocks: count.default(2),
      heads: count.default(2).describe('must divide the width'),
      dropout: z.number().min(0).lt(1).default(0.2),
      ...sequenceShape,
    })
    .prefault({}),
};

type Section = z.output<(typeof shape)['sasrec']>;

export const sasrec = defineMethod({
  name: 'sasrec',
  label: 'SASRec',
  summary: "self-attention over a user's last items (Kang & McAuley, ICDM 2018)",
  capabilities: ['recommender', 'retriever', 'encoder'],
  needs: { base: false, encoder: false, members: false, texts: false },
  shape,
  resolve(settings) {
    const { width, heads } = settings.sasrec;
    const fault = `sasrec.heads: expected a divisor of sasrec.width (${width}), got ${heads}`;
    return { settings, faults: width % heads === 0 ? [] : [fault] };
  },
  fromEarlier: (settings) => withOwnRows('sasrec', settings),
  fromFormat1({ sasrec: section, training }) {
    const { optimizer, select, checkpointSeconds } = (training ?? {}) as Record<string, unknown>;
    return { sasrec: { ...(section as object), optimizer, select, checkpointSeconds } };
  },
  build({ sasrec: section, seed, device }, { dataset }) {
    const model = new SASRec(optionsOf(section, dataset), new Generator(seed));
    return sequenceModel(model.to(device as Device));
  },
  leastValues: ({ sasrec: section }, { dataset }) => {
    const { width, blocks } = section;
    const rows = dataset.catalog.size + historyLength(section, dataset);
    return rows * width + 4 * blocks * width * width;
  },
  learning: sequenceLearning((settings: { sasrec: Section }) => settings.sasrec),
  encoder: (options: SASRecOptions) => new SASRec(options, new Generator(0)).freeze(),
});

function optionsOf(section: Section, dataset: Dataset): SASRecOptions {
  const { preset, width, blocks, heads, dropout } = section;
  const maxHistory = historyLength(section, dataset);
  return { catalogSize: dataset.catalog.size, maxHistory, width, blocks, heads, dropout, preset };
}
