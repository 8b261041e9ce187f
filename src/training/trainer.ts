/**
 * The training loop, one for SASRec, uniform LoRA and iLoRA.
 *
 * Everything random is keyed by seed and step (see `Learner`), so the only state beside parameters and
 * moments is the number of steps done. Ctrl-C arrives through an AbortSignal between two parts of a
 * step; the state of the last whole step is saved then.
 */
import { existsSync } from 'node:fs';
import { Random } from '../data/index.js';
import { AbortError, IloraError } from '../errors/index.js';
import { Adam, clipGradients, warmupCosine } from '../optim/index.js';
import { type Learner, type TrainingPosition, turn } from '../recommenders/index.js';
import { clone, copy_, mul, noGrad, scope, type Tensor } from '../tensor/index.js';
import { loadLatestCheckpoint, restore, saveCheckpoint, type TrainingState } from './checkpoint.js';
import type { RunFolder } from './run-folder.js';
import { saveTensors } from './tensor-file.js';

export interface TrainerOptions {
  seed: number;
  /** Examples per optimizer step. */
  batchSize: number;
  /** Examples to see in all; passes over the data follow from it. */
  totalExamples: number;
  /** Share of all steps for the warm-up, from 0 to 1. */
  warmupShare: number;
  /** `cosine` after the warm-up, or `constant`. */
  schedule: 'cosine' | 'constant';
  optimizer: 'adam' | 'adamw';
  /** Bound on the joint norm of all gradients; 0 for none. */
  clipNorm: number;
  /** Examples between two validations. */
  validateEvery: number;
  /** Stop after this many validations without a new best; 0 for never. */
  patience: number;
  /** Seconds between two checkpoints. */
  checkpointSeconds: number;
}

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
  /** Absent: the last step's weights are taken. */
  validate?: () => Promise<Validation>;
  signal?: AbortSignal;
}

export interface TrainingSummary {
  steps: number;
  /** Examples seen. */
  examples: number;
  seconds: number;
  bestStep: number;
  bestScore?: number;
  finalLoss: number;
}

/**
 * Trains until the planned number of examples, early stop or a signal, and leaves the best weights in
 * the learner and in `best.safetensors`.
 *
 * @throws AbortError after saving, when the signal fires
 * @throws IloraError `training` when a loss or gradient is not finite; the last good state is saved
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
  const saved = loadLatestCheckpoint(folder.checkpoints, learner, optimizer);
  const state: Omit<TrainingState, 'adamSteps'> =
    saved === undefined
      ? { step: 0, metricsBytes: 0, badValidations: 0, validatedStep: 0, seconds: 0 }
      : { validatedStep: saved.step, ...saved };
  folder.truncateMetrics(state.metricsBytes);
  const secondsBefore = state.seconds;
  const started = performance.now();
  let lastSave = started;
  const elapsed = (): number => secondsBefore + (performance.now() - started) / 1000;
  const save = (): void => {
    Object.assign(state, { seconds: elapsed(), metricsBytes: folder.metricsBytes });
    saveCheckpoint(folder.checkpoints, learner, optimizer, state);
    lastSave = performance.now();
  };
  const order = new Order(seed, learner.examples);
  const recent: number[] = [];
  const statistics = [...learner.state().values()].filter((tensor) => !tensor.requiresGrad);
  let statisticsBefore: Tensor[] = [];
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
        const isBest = state.best === undefined || validation.score > state.best.score;
        if (isBest) {
          state.best = { score: validation.score, step: state.step };
          state.badValidations = 0;
          saveTensors(folder.best, learner.state());
        } else state.badValidations++;
        state.validatedStep = state.step;
        folder.log({
          kind: 'validation',
          step: state.step,
          score: validation.score,
          ...validation.metrics,
        });
        hooks.onValidation?.({ ...validation, step: state.step, isBest });
      }
      if (performance.now() - lastSave > options.checkpointSeconds * 1000) save();
      if (state.step >= totalSteps) break;
      if (options.patience > 0 && state.badValidations >= options.patience) break;

      // ---- one step: gradients part by part, then one update ---------------------------------------
      const { step } = state;
      const first = step * batchSize;
      const examples = order.batch(first, batchSize);
      const position: TrainingPosition = {
        seed,
        step,
        totalSteps,
        epoch: Math.floor(first / learner.examples),
      };
      const targets = learner.countTargets(examples, position);
      optimizer.zeroGrad();
      statisticsBefore = statistics.map(clone);
      let loss = 0;
      for (const part of learner.cut(examples, position)) {
        await turn(hooks.signal);
        const partLoss = scope(() => mul(learner.loss(part, position), 1 / Math.max(1, targets)));
        try {
          loss += partLoss.item();
          await turn(hooks.signal);
          partLoss.backward();
        } finally {
          partLoss.dispose();
        }
        if (!Number.isFinite(loss)) throw notFinite('loss', loss, step, part);
      }
      const gradientNorm = scope(() =>
        clipGradients(optimizer.parameters, clipNorm > 0 ? clipNorm : Number.POSITIVE_INFINITY),
      );
      if (!Number.isFinite(gradientNorm))
        throw notFinite('gradient norm', gradientNorm, step, examples);
      optimizer.step(factorAt(step));
      state.step = step + 1;
      state.loss = loss;
      for (const tensor of statisticsBefore) tensor.dispose();
      statisticsBefore = [];

      // ---- say it ------------------------------------------------------------------------------------
      recent.push(performance.now());
      if (recent.length > 20) recent.shift();
      const perStep =
        recent.length > 1
          ? ((recent.at(-1) as number) - (recent[0] as number)) / 1000 / (recent.length - 1)
          : elapsed() - secondsBefore;
      folder.log({
        kind: 'step',
        step: state.step,
        epoch: position.epoch,
        loss,
        gradientNorm,
        learningRateFactor: factorAt(step),
      });
      hooks.onStep?.({
        step: state.step,
        totalSteps,
        loss,
        gradientNorm,
        examplesPerSecond: batchSize / perStep,
        secondsLeft: (totalSteps - state.step) * perStep,
      });
    }
  } catch (error) {
    optimizer.zeroGrad();
    // Statistics of norms move in every pass: those of the unfinished step are taken back.
    for (const [i, before] of statisticsBefore.entries()) {
      noGrad(() => copy_(statistics[i] as Tensor, before));
      before.dispose();
    }
    save();
    if (isAbort(error))
      throw new AbortError(
        `stopped after step ${state.step} of ${totalSteps}; the state is saved, --resume continues it`,
      );
    throw error;
  }
  optimizer.zeroGrad();
  save();
  if (hooks.validate === undefined) saveTensors(folder.best, learner.state());
  if (existsSync(folder.best)) scope(() => restore(folder.best, learner.state()));
  const summary: TrainingSummary = {
    steps: state.step,
    examples: state.step * batchSize,
    seconds: elapsed(),
    bestStep: state.best?.step ?? state.step,
    ...(state.best && { bestScore: state.best.score }),
    finalLoss: state.loss ?? Number.NaN,
  };
  folder.writeJson(folder.summary, summary);
  return summary;
}

/** Examples in the order of one permutation per pass. */
class Order {
  #epoch = -1;
  #permutation: Int32Array = new Int32Array();
  constructor(
    readonly seed: number,
    readonly examples: number,
  ) {}

  /** `count` examples from place `first` of the endless sequence of permutations. */
  batch(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => {
      const epoch = Math.floor((first + i) / this.examples);
      if (epoch !== this.#epoch) {
        this.#epoch = epoch;
        this.#permutation = new Random(this.seed, 'order', epoch).permutation(this.examples);
      }
      return this.#permutation[(first + i) % this.examples] as number;
    });
  }
}

function notFinite(
  what: string,
  value: number,
  step: number,
  examples: readonly number[],
): IloraError {
  return new IloraError(
    'training',
    `training: expected a finite ${what}, got ${value} at step ${step + 1} (examples ${examples.slice(0, 8).join(', ')}) — the state before it is saved; try a lower learning rate or float32`,
    { step, examples },
  );
}

/** Whether an error means that the user asked to stop. */
export function isAbort(error: unknown): boolean {
  return error instanceof AbortError || (error instanceof Error && error.name === 'AbortError');
}
