/** Checkpoint folders: state, marker with hashes, tensors of model and optimizer. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Adam } from '../../src/optim/index.js';
import type { SequenceLearner as Learner } from '../../src/recommenders/index.js';
import { SequenceLearner } from '../../src/recommenders/index.js';
import { loadLatestCheckpoint, saveCheckpoint } from '../../src/training/checkpoint.js';
import { tinySasrec } from '../../tests/support/models.js';
import { type Content, caseFrom } from './case.js';
import { inFolder } from './seed.js';
import type { Target } from './target.js';

const FILES = ['model.safetensors', 'optimizer.safetensors', 'state.json'] as const;
const STEPS = ['step-00000002', 'step-00000004'] as const;
let training: { learner: Learner; optimizer: Adam } | undefined;

function parts(): { learner: Learner; optimizer: Adam } {
  if (training !== undefined) return training;
  const model = tinySasrec();
  const options = { learningRate: 1e-3, weightDecay: 0, loss: 'softmax' } as const;
  const learner = new SequenceLearner(
    model,
    [{ user: 'a', items: Int32Array.of(1, 2, 3, 4) }],
    options,
  );
  training = { learner, optimizer: new Adam(learner.parameterGroups()) };
  return training;
}

const target: Target = {
  name: 'checkpoint',
  sources: {
    'training/checkpoint.ts': ['saveCheckpoint', 'isSame'],
    'weights/tensor-file.ts': ['saveTensors'],
  },
  seeds: async () => [
    inFolder((folder) => {
      const { learner, optimizer } = parts();
      for (const step of [2, 4])
        saveCheckpoint(folder, learner, optimizer, {
          step,
          metricsBytes: 10,
          best: { score: 0.5, step: 2 },
          badValidations: 0,
          validatedStep: 2,
          loss: 1.5,
          seconds: 3,
        });
      const names = STEPS.flatMap((step) =>
        [...FILES, 'complete.json'].map((file) => join(step, file)),
      );
      return caseFrom(folder, names);
    }),
  ],
  read(folder) {
    const { learner, optimizer } = parts();
    const state = loadLatestCheckpoint(folder, learner, optimizer)?.state;
    if (state === undefined) return;
    // What a resumed run does with it.
    if (!Number.isSafeInteger(state.step) || state.step < 0 || !(state.metricsBytes >= 0))
      throw new Error(`a state that training cannot go on from: ${JSON.stringify(state)}`);
    if (Object.values(optimizer.state().steps).some((steps) => !Number.isSafeInteger(steps)))
      throw new Error('steps that are no numbers');
  },
  /** The marker holds the hashes of the other files. */
  seal(input: Map<string, Content>) {
    for (const step of STEPS) {
      const hashes = FILES.map((file) => {
        const content = input.get(join(step, file));
        const bytes = typeof content === 'object' ? content : '';
        return [file, createHash('sha256').update(bytes).digest('hex')];
      });
      if (typeof input.get(join(step, 'complete.json')) === 'object')
        input.set(
          join(step, 'complete.json'),
          Buffer.from(`${JSON.stringify(Object.fromEntries(hashes))}\n`),
        );
    }
  },
};
export default target;
