/**
 * Settings that all sequence models share, and what their learner and loop make of them.
 */
import { z } from 'zod';
import type { Dataset, Protocol } from '../../data/index.js';
import type { Learner } from '../learner.js';
import { type Learning, type LoopOptions, SELECTABLE } from '../method.js';
import { SequenceLearner } from './learner.js';
import type { SequenceModel } from './model.js';

const positive = z.number().positive();
const count = z.int().positive();

/** Keys of a sequence model's section that say how it learns. */
export const sequenceShape = {
  width: count.default(64).describe('M: width of items and representation'),
  loss: z
    .enum(['bce', 'softmax'])
    .default('softmax')
    .describe('bce: one uniform negative per target; softmax: over the catalog'),
  learningRate: positive.default(1e-3),
  weightDecay: z.number().min(0).default(1e-6),
  optimizer: z.enum(['adam', 'adamw']).default('adam'),
  epochs: count.default(40),
  batchSize: count.default(128).describe('chunks of a sequence per step'),
  patience: z
    .int()
    .min(0)
    .default(8)
    .describe('epochs without a better validation; 0: never stop early'),
  select: z
    .enum(SELECTABLE)
    .default('expected_hr_at_1')
    .describe('validation metric that chooses the best weights'),
  validationWindows: count
    .default(5)
    .describe('windows of every validation user, evenly spaced; with candidates of their own'),
  checkpointSeconds: positive.default(120),
} as const;

type SequenceSettings = z.output<z.ZodObject<typeof sequenceShape>>;

/** How a sequence model learns, by the section of its method's settings. */
export function sequenceLearning<S>(
  sectionOf: (settings: S) => SequenceSettings,
): Learning<S, SequenceModel> {
  return {
    kind: 'gradients',
    learner({ encoder }, settings, { dataset }) {
      const { learningRate, weightDecay, loss } = sectionOf(settings);
      const options = { learningRate, weightDecay, loss };
      return new SequenceLearner(encoder, dataset.sequencesOf('train'), options);
    },
    loop: (settings, learner, { dataset }) => ({
      ...sequenceLoop(sectionOf(settings), learner),
      protocol: protocolOf(learner as SequenceLearner, dataset),
    }),
  };
}

/** A model that reads further back than a window shows is validated on whole histories. */
function protocolOf({ model }: SequenceLearner, { manifest }: Dataset): Protocol {
  return model.options.maxHistory > manifest.window.maxHistory ? 'history' : 'window';
}

/** The loop of one pass per epoch, validated after each. */
function sequenceLoop(settings: SequenceSettings, learner: Learner): LoopOptions {
  const { epochs, batchSize, patience, optimizer, select, validationWindows, checkpointSeconds } =
    settings;
  return {
    batchSize,
    totalExamples: epochs * learner.examples,
    warmupShare: 0,
    schedule: 'constant',
    optimizer,
    clipNorm: 0,
    validateEvery: learner.examples,
    validationWindows,
    select,
    patience,
    checkpointSeconds,
  };
}
