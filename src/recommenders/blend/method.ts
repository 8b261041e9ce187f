/**
 * A weighted combination of other trained models as a method.
 */
import { z } from 'zod';
import { protocols } from '../../data/index.js';
import { internal, mismatch } from '../../errors/index.js';
import { FittedModel } from '../fitted.js';
import { defineMethod, type Member, type Model, type Parts } from '../method.js';
import { Blend, blendStorage } from './blend.js';
import { blendRows, crossFit, fitBlend } from './fit.js';

const count = z.int().positive();

const shape = {
  blend: z
    .strictObject({
      protocol: z
        .enum(protocols)
        .default('window')
        .describe('what the windows that weights are fitted to show: the last items, or all'),
      windowsPerUser: count
        .default(20)
        .describe('of each validation user, evenly spaced, that weights are fitted to'),
      ridge: z
        .number()
        .positive()
        .default(1)
        .describe('penalty on squared weights beside the sum of losses, in nats'),
      folds: count
        .min(2)
        .default(5)
        .describe('groups of users, for the quality on users whom the fit does not know'),
    })
    .prefault({}),
};

/** A fitted model that also holds its members. */
class BlendModel extends FittedModel<Blend> implements Model {
  constructor(
    readonly members: readonly Member[],
    catalogSize: number,
  ) {
    super(blendStorage(members, catalogSize));
  }

  override freeze(): void {
    for (const { model } of this.members) model.freeze();
  }

  release(): void {
    for (const { model } of this.members) model.release?.();
  }
}

export const blend = defineMethod({
  name: 'blend',
  label: 'Blend',
  summary: 'a weighted sum of the scores of other trained methods (conditional logit)',
  capabilities: ['recommender', 'retriever'],
  needs: { base: false, encoder: false, members: true, texts: false },
  shape,
  build: (_settings, parts) => new BlendModel(membersIn(parts), parts.dataset.catalog.size),
  leastValues: ({ members = [] }) => members.length,
  learning: {
    kind: 'fit',
    async fit(model, { blend: settings }, { dataset }, options) {
      const { protocol, windowsPerUser: perUser, ridge, folds } = settings;
      const { members } = model;
      const catalogSize = dataset.catalog.size;
      const instances = [...dataset.windows('validation', { perUser, protocol })];
      const rows = await blendRows(members, instances, { ...options, catalogSize });
      if (rows.length === 0)
        throw mismatch('data', {
          where: 'blend: validation',
          expected: 'at least one window whose target is not in its history',
          got: instances.length === 0 ? 'no windows' : 'none',
        });
      const fit = { members: members.length, ridge, signal: options.signal };
      const quality = await crossFit(rows, folds, fit);
      const weights = await fitBlend(rows, fit);
      model.fitted = new Blend({ members, weights, catalogSize });
      return {
        ...Object.fromEntries(members.map(({ name }, m) => [name, weights[m] as number])),
        windows: rows.length,
        ...(quality && {
          crossFittedExpectedMrr: quality.expectedMrr,
          crossFittedLoss: quality.loss,
        }),
      };
    },
  },
});

function membersIn({ members }: Parts): readonly Member[] {
  if (members === undefined) throw internal('a blend was built without members');
  return members;
}
