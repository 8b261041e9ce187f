/**
 * The training loop, one for all methods that learn by gradients.
 *
 * Everything random is keyed by seed and step (see `Learner`), so the only state beside parameters and
 * moments is the number of steps done. Ctrl-C arrives through an AbortSignal between two parts of a
 * step; the state of the last whole step is saved then.
 */
import { existsSync } from 'node:fs';
import { snakeKeys } from '../files/index.js';
import { overwrite } from '../nn/index.js';
import { Adam, warmupCosine } from '../optim/index.js';
import type { Choices, Learner, LoopOptions, TrainingPosition } from '../recommenders/index.js';
import { clone, copy_, noGrad, scope, type Tensor } from '../tensor/index.js';
import { checkSeal, loadSealed, saveSealed } from '../weights/index.js';
import { loadLatestCheckpoint, saveCheckpoint, type TrainingState } from './checkpoint.js';
import { nonFinite } from './finite.js';
import { type GradientSource, OwnGradients } from './gradients/source.js';
import { Order } from './order.js';
import type { RunFolder } from './run-folder.js';
import { trainingStep } from './step.js';
import { ending, notFiniteState } from './training-error.js';

/** What a method's loop says, and the seed of everything random. */
export type TrainerOptions = Omit<
  LoopOptions,
  'select' | 'validationRows' | 'validationWindows' | 'protocol' | 'workers'
> & {
  seed: number;
};

/** One step, as logged. */
export interface StepReport {
  step: number;
  totalSteps: number;
  /** Mean loss per target, in nats. */
  loss: number;
  gradientNorm: number;
  /** Examples seen per second, over the last steps. */
  examplesPerSecond: number;
  secondsLeft: number;
}

/** What a validation says: the score to choose by (higher is better) and what else to log. */
export interface Validation {
  score: number;
  metrics: Record<string, number>;
}

export interface TrainerHooks {
  onStep?: (report: StepReport) => void;
  onValidation?: (validation: Validation & { step: number; isBest: boolean }) => void;
  /** Something the user should know, such as a damaged checkpoint that was passed over. */
  onNotice?: (text: string) => void;
  /** Absent: the last step's weights are taken. */
  validate?: () => Promise<Validation>;
  signal?: AbortSignal;
  /** Where gradients come from; by default this thread. It stays the caller's to close. */
  gradients?: GradientSource;
}

export interface TrainingSummary {
  /** Settings that were chosen on validation, where a method chooses some by itself. */
  chosen?: Choices;
  /** 0 for what is counted or solved in one go. */
  steps: number;
  /** Examples seen. */
  examples: number;
  seconds: number;
  bestStep: number;
  /** Of the validation metric that chooses. */
  bestScore?: number;
  /** Mean loss per target of the last step, in nats. */
  finalLoss?: number;
}

/** What can be done about damaged best weights. */
export const BEST_HINT = 'put it back from a copy, or train again in another folder';

/**
 * Trains until the planned number of examples, early stop or a signal, and leaves the best weights in
 * the learner and in `best.safetensors`.
 *
 * @throws AbortError after saving, when the signal fires
 * @throws IloraError `training` when a loss or gradient is not finite; the last good state is saved
 * @throws IloraError `file` when a file cannot be written, `format` when one is damaged
 */
export async function train(
  learner: Learner,
  folder: RunFolder,
  options: TrainerOptions,
  hooks: TrainerHooks = {},
): Promise<TrainingSummary> {
  const { seed, batchSize, clipNorm } = options;
  const totalSteps = Math.max(1, Math.ceil(options.totalExamples / batchSize));
  const optimizer = new Adam(learner.parameterGroups(), {
    isDecoupled: options.optimizer === 'adamw',
  });
  const warmupSteps = Math.round(totalSteps * options.warmupShare);
  const factorAt = warmupCosine({
    totalSteps,
    warmupSteps,
    ...(options.schedule === 'constant' && { endFactor: 1 }),
  });

  // ---- where to start ---------------------------------------------------------------------------
  const loaded = loadLatestCheckpoint(folder.checkpoints, learner, optimizer);
  for (const line of loaded?.damaged ?? [])
    hooks.onNotice?.(`${line} — passed over, training goes on from ${loaded?.path}`);
  const saved = loaded?.state;
  const state: Omit<TrainingState, 'adamSteps'> =
    saved === undefined
      ? { step: 0, metricsBytes: 0, badValidations: 0, validatedStep: 0, seconds: 0 }
      : { validatedStep: saved.step, ...saved };
  folder.rewindMetrics(state);
  if (state.best !== undefined) checkSeal(folder.best, BEST_HINT);
  const secondsBefore = state.seconds;
  const started = performance.now();
  let lastSave = started;
  const elapsed = (): number => secondsBefore + (performance.now() - started) / 1000;
  const save = (): void => {
    const broken = nonFinite(new Map([...learner.state(), ...optimizer.state().tensors]));
    if (broken.length > 0) throw notFiniteState(broken, state.step);
    Object.assign(state, { seconds: elapsed(), ...folder.sealMetrics() });
    saveCheckpoint(folder.checkpoints, learner, optimizer, state);
    lastSave = performance.now();
  };
  const order = new Order(seed, learner.examples);
  const gradients = hooks.gradients ?? new OwnGradients(learner);
  const recent: number[] = [];
  const statistics = [...learner.state().values()].filter((tensor) => !tensor.requiresGrad);
  let statisticsBefore: Tensor[] = [];
  /** False while the optimizer moves the parameters: then they belong to no step. */
  let isWhole = true;
  const isDue = (step: number): boolean =>
    hooks.validate !== undefined &&
    step > 0 &&
    step !== state.validatedStep &&
    (step === totalSteps ||
      Math.floor((step * batchSize) / options.validateEvery) >
        Math.floor(((step - 1) * batchSize) / options.validateEvery));

  try {
    for (;;) {
      // ---- validate, choose, save --------------------------------------------------------------------
      if (hooks.validate !== undefined && isDue(state.step)) {
        const validation = await hooks.validate();
        const { score, metrics } = validation;
        const isBest = state.best === undefined || score > state.best.score;
        // The state says so only when both files do: writing may fail.
        if (isBest) saveSealed(folder.best, learner.state());
        folder.log({ kind: 'validation', step: state.step, score, ...metrics });
        state.metricsBytes = folder.metricsBytes;
        if (isBest) state.best = { score, step: state.step };
        state.badValidations = isBest ? 0 : state.badValidations + 1;
        state.validatedStep = state.step;
        hooks.onValidation?.({ ...validation, step: state.step, isBest });
      }
      if (performance.now() - lastSave > options.checkpointSeconds * 1000) save();
      if (state.step >= totalSteps) break;
      if (options.patience > 0 && state.badValidations >= options.patience) break;

      // ---- one step: gradients, then one update ---------------------------------------
      const { step } = state;
      const first = step * batchSize;
      const examples = order.batch(first, batchSize);
      const position: TrainingPosition = { seed, step, totalSteps, batch: examples };
      statisticsBefore = statistics.map(clone);
      const { loss, gradientNorm } = await trainingStep(learner, optimizer, position, {
        gradients,
        clipNorm,
        factor: factorAt(step),
        signal: hooks.signal,
        beforeUpdate(figures) {
          folder.log({
            kind: 'step',
            step: step + 1,
            epoch: Math.floor(first / learner.examples),
            ...figures,
            learningRateFactor: factorAt(step),
          });
          isWhole = false;
        },
      });
      Object.assign(state, { step: step + 1, loss, metricsBytes: folder.metricsBytes });
      isWhole = true;
      for (const tensor of statisticsBefore) tensor.dispose();
      statisticsBefore = [];

      // ---- say it ------------------------------------------------------------------------------------
      recent.push(performance.now());
      if (recent.length > 20) recent.shift();
      const perStep =
        recent.length > 1
          ? ((recent.at(-1) as number) - (recent[0] as number)) / 1000 / (recent.length - 1)
          : elapsed() - secondsBefore;
      hooks.onStep?.({
        step: state.step,
        totalSteps,
        loss,
        gradientNorm,
        examplesPerSecond: batchSize / perStep,
        secondsLeft: (totalSteps - state.step) * perStep,
      });
    }
    optimizer.zeroGrad();
    save();
  } catch (error) {
    optimizer.zeroGrad();
    // Statistics of norms move in every pass: those of the unfinished step are taken back.
    for (const [i, before] of statisticsBefore.entries()) {
      noGrad(() => copy_(statistics[i] as Tensor, before));
      before.dispose();
    }
    let unsaved: unknown = isWhole ? undefined : error;
    if (isWhole) {
      try {
        folder.rewindMetrics({ metricsBytes: state.metricsBytes });
        save();
      } catch (reason) {
        unsaved = reason;
      }
    }
    throw ending(error, unsaved, { step: state.step, totalSteps, tensors: learner.state() });
  }
  if (hooks.validate === undefined) saveSealed(folder.best, learner.state());
  if (existsSync(folder.best))
    scope(() => overwrite(learner.state(), loadSealed(folder.best, BEST_HINT), folder.best));
  const summary: TrainingSummary = {
    steps: state.step,
    examples: state.step * batchSize,
    seconds: elapsed(),
    bestStep: state.best?.step ?? state.step,
    ...(state.best && { bestScore: state.best.score }),
    ...(state.loss !== undefined && { finalLoss: state.loss }),
  };
  folder.writeJson(folder.summary, snakeKeys(summary));
  return summary;
}
