/**
 * Settings that all sequence models share, and what their learner and loop make of them.
 */
import { z } from 'zod';
import { type Dataset, type Protocol, protocols } from '../../data/index.js';
import type { Learner } from '../learner.js';
import {
  averagingShape,
  type Learning,
  type LoopOptions,
  SELECTABLE,
  withMeant,
} from '../method.js';
import { SequenceLearner } from './learner.js';
import type { SequenceModel } from './model.js';

const positive = z.number().positive();
const count = z.int().positive();

/** Keys of a sequence model's section that say how it learns. */
export const sequenceShape = {
  width: count.default(64).describe('M: width of items and representation'),
  maxHistory: count
    .optional()
    .describe(
      "L: longest history, and places of a training chunk; left out: the dataset's window. Of a longer one the last L count",
    ),
  loss: z
    .enum(['bce', 'softmax'])
    .default('softmax')
    .describe('bce: one uniform negative per target; softmax: over the catalog'),
  learningRate: positive.default(1e-3),
  weightDecay: z.number().min(0).default(1e-6),
  optimizer: z.enum(['adam', 'adamw']).default('adam'),
  ...averagingShape,
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
  protocol: z
    .enum(protocols)
    .optional()
    .describe(
      'histories that a validation shows; left out: all of the past where max_history goes beyond the window',
    ),
  validationWindows: z
    .int()
    .min(0)
    .default(5)
    .describe("windows of every validation user, evenly spaced; 0: the split's own rows"),
  checkpointSeconds: positive.default(120),
} as const;

type SequenceSettings = z.output<z.ZodObject<typeof sequenceShape>>;

/** Settings of a run of an earlier version, which validated on the split's own rows. */
export const withOwnRows = (
  section: string,
  settings: Readonly<Record<string, unknown>>,
): Record<string, unknown> => withMeant(settings, section, { validationWindows: 0 });

/** L: the longest history that counts. */
export function historyLength(
  { maxHistory }: Pick<SequenceSettings, 'maxHistory'>,
  { manifest }: Dataset,
): number {
  return maxHistory ?? manifest.window.maxHistory;
}

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
      protocol: sectionOf(settings).protocol ?? protocolOf(learner as SequenceLearner, dataset),
    }),
  };
}

/** A model that reads further back than a window shows is validated on whole histories. */
function protocolOf({ model }: SequenceLearner, { manifest }: Dataset): Protocol {
  return model.options.maxHistory > manifest.window.maxHistory ? 'history' : 'window';
}

/** The loop of one pass per epoch, validated after each. */
function sequenceLoop(settings: SequenceSettings, learner: Learner): LoopOptions {
  const { epochs, batchSize, patience, optimizer, averaging, validationWindows } = settings;
  const { select, checkpointSeconds } = settings;
  return {
    batchSize,
    totalExamples: epochs * learner.examples,
    warmupShare: 0,
    schedule: 'constant',
    optimizer,
    averaging,
    clipNorm: 0,
    validateEvery: learner.examples,
    ...(validationWindows > 0 && { validationWindows }),
    select,
    patience,
    checkpointSeconds,
  };
}
