/**
 * One training run from settings to a recommender, and opening it again.
 *
 * Evaluation lies beside this folder, not below it: the caller passes in how recommenders are scored.
 */
import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Dataset, type Instance, openDataset } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { hashFile } from '../files/index.js';
import { overwrite } from '../nn/index.js';
import {
  type Base,
  baseDtype,
  hashModel,
  LlmLearner,
  openBase,
  type Recommender,
  type SASRec,
  SASRecLearner,
  SASRecRecommender,
} from '../recommenders/index.js';
import { type Device, prepareDevice, scope } from '../tensor/index.js';
import { loadSealed } from '../weights/index.js';
import { assemble, makeSasrec } from './assemble.js';
import { gradientSource } from './gradients/workers.js';
import { adapterRates } from './presets.js';
import { RunFolder } from './run-folder.js';
import { begin, describe, type RunRecord, readRecord } from './run-record.js';
import type { Settings } from './settings.js';
import {
  BEST_HINT,
  type StepReport,
  type TrainerOptions,
  type TrainingSummary,
  train,
  type Validation,
} from './trainer.js';

/** Metrics a validation can be chosen by. */
export type ValidationMetrics = Record<Settings['training']['select'], number>;

export interface RunHooks {
  /** Scores a recommender on instances. */
  score: (
    recommender: Recommender,
    instances: readonly Instance[],
    signal?: AbortSignal,
  ) => Promise<ValidationMetrics>;
  /** A new stage begins: `train sasrec`, `train ilora`. */
  onStage?: (text: string) => void;
  onStep?: (report: StepReport) => void;
  onValidation?: (validation: Validation & { step: number; isBest: boolean }) => void;
  /** Something the user should know, such as a damaged checkpoint that was passed over. */
  onNotice?: (text: string) => void;
  signal?: AbortSignal;
}

/** Pieces shared by several runs, so that they are loaded once. */
export interface Shared {
  dataset: Dataset;
  base?: Base;
}

/** A trained recommender. */
export interface Run {
  record: RunRecord;
  folder: RunFolder;
  recommender: Recommender;
  /** Behind gate and slots of a language-model recommender, or the recommender itself. */
  sasrec: SASRec;
  dataset: Dataset;
  summary?: TrainingSummary;
}

/**
 * Trains what the settings say. A language-model method without a `recommender` trains SASRec in OUT/sasrec first.
 *
 * @param shared  the dataset, and the base if already open; it must carry no adapter
 * @param basePath path of the base's files; needed for `lora` and `ilora`
 */
export async function trainRun(
  settings: Settings,
  { shared, basePath, resume = false }: { shared: Shared; basePath?: string; resume?: boolean },
  hooks: RunHooks,
): Promise<Run> {
  prepareDevice(settings.device as Device);
  if (settings.method === 'sasrec') return trainSasrec(settings, shared.dataset, resume, hooks);
  const { dataset } = shared;
  const path = shared.base?.path ?? basePath;
  if (path === undefined)
    throw mismatch('usage', { where: 'trainRun', expected: 'the path of a base', got: undefined });
  const folder = new RunFolder(settings.out);
  folder.prepare(resume);
  return folder.whileLocked(async () => {
    const sasrec = await recommenderFor(settings, dataset, resume, hooks);
    const device = settings.device as Device;
    const recommenderFolder = resolve(settings.recommender ?? join(settings.out, 'sasrec'));
    const record: RunRecord = {
      ...describe(settings, dataset),
      base: {
        path: resolve(path),
        sha256: hashModel(path),
        dtype: shared.base?.dtype ?? baseDtype(settings.dtype, device),
      },
      recommender: relative(resolve(settings.out), recommenderFolder),
      recommenderSha256: hashFile(new RunFolder(recommenderFolder).best),
    };
    begin(folder, record, resume);
    const base =
      shared.base ?? openBase(path, { device, dtype: settings.dtype, sha256: record.base?.sha256 });
    const recommender = assemble(settings, { base, dataset, sasrec });
    const learner = new LlmLearner(recommender, dataset, {
      rates: adapterRates(settings.adapter),
      curriculum: settings.training.curriculum,
      recomputesActivations: settings.training.recomputesActivations,
    });
    hooks.onStage?.(`train ${settings.method}`);
    const validation = firstRows(dataset, settings.training.validationRows);
    const gradients = await gradientSource(learner, settings.training, hooks.signal);
    try {
      const summary = await train(learner, folder, trainerOptions(settings), {
        ...hooks,
        gradients,
        validate: validateWith(recommender, validation, settings, hooks),
      });
      return { record, folder, recommender, sasrec, dataset, summary };
    } finally {
      const closed = gradients.close();
      // After a stop nobody waits for workers to come out of an operator.
      if (hooks.signal?.aborted !== true) await closed;
    }
  });
}

async function trainSasrec(
  settings: Settings,
  dataset: Dataset,
  resume: boolean,
  hooks: RunHooks,
): Promise<Run> {
  const folder = new RunFolder(settings.out);
  folder.prepare(resume);
  return folder.whileLocked(async () => {
    const record = describe(settings, dataset);
    begin(folder, record, resume);
    const model = makeSasrec(settings, dataset);
    const { learningRate, weightDecay, loss, epochs, batchSize, patience } = settings.sasrec;
    const learner = new SASRecLearner(model, dataset.sequencesOf('train'), {
      learningRate,
      weightDecay,
      loss,
    });
    const recommender = new SASRecRecommender(model);
    hooks.onStage?.('train sasrec');
    const options: TrainerOptions = {
      ...trainerOptions(settings),
      batchSize,
      totalExamples: epochs * learner.examples,
      warmupShare: 0,
      schedule: 'constant',
      clipNorm: 0,
      validateEvery: learner.examples,
      patience,
    };
    const validation = firstRows(dataset, Number.POSITIVE_INFINITY);
    const summary = await train(learner, folder, options, {
      ...hooks,
      validate: validateWith(recommender, validation, settings, hooks),
    });
    model.freeze();
    return { record, folder, recommender, sasrec: model, dataset, summary };
  });
}

/**
 * Opens a run folder.
 * @param where overrides for what may lie elsewhere by now; `shared` parts are used as they are
 * @throws IloraError `file` or `format`; `data` where dataset or base are not those of the run
 */
export async function openRun(
  path: string,
  {
    data,
    basePath,
    shared,
    device,
  }: { data?: string; basePath?: string; shared?: Partial<Shared>; device?: Device } = {},
): Promise<Run> {
  const record = readRecord(path);
  const settings: Settings = { ...record.settings, ...(device && { device }) };
  prepareDevice(settings.device as Device);
  const folder = new RunFolder(path);
  const dataset = shared?.dataset ?? (await openDataset(data ?? settings.data));
  if (dataset.hash !== record.dataset.hash) {
    throw mismatch('data', {
      where: path,
      expected: `the dataset it was trained on (${record.dataset.hash.slice(0, 12)})`,
      got: `${dataset.folder} (${dataset.hash.slice(0, 12)})`,
    });
  }
  if (!existsSync(folder.best)) {
    throw mismatch('file', {
      where: path,
      expected: 'a finished run with best.safetensors',
      got: 'none',
      hint: 'continue it with `ilora train --resume`',
    });
  }
  if (settings.method === 'sasrec') {
    const { width, blocks } = settings.sasrec;
    refuseLarger(folder, dataset.catalog.size * width + 4 * blocks * width * width);
    const model = makeSasrec(settings, dataset);
    scope(() => model.load(loadSealed(folder.best, BEST_HINT), folder.best));
    model.freeze();
    return { record, folder, recommender: new SASRecRecommender(model), sasrec: model, dataset };
  }
  const innerPath = join(path, record.recommender ?? 'sasrec');
  const inner = await openRun(innerPath, { shared: { dataset }, ...(device && { device }) });
  const wanted = record.recommenderSha256;
  const got = hashFile(inner.folder.best);
  if (wanted !== undefined && wanted !== got)
    throw mismatch('data', {
      where: inner.folder.best,
      expected: `the recommender the run was trained on (sha256 ${wanted.slice(0, 12)})`,
      got: got.slice(0, 12),
    });
  const basePlace = shared?.base?.path ?? basePath ?? record.base?.path ?? '';
  const sha256 = hashModel(basePlace);
  if (sha256 !== record.base?.sha256) {
    throw mismatch('data', {
      where: basePlace,
      expected: `the base the run was trained on (sha256 ${record.base?.sha256.slice(0, 12)})`,
      got: sha256.slice(0, 12),
      hint: 'pull or copy it anew',
    });
  }
  const base =
    shared?.base ??
    openBase(basePlace, { device: settings.device as Device, dtype: settings.dtype, sha256 });
  refuseLarger(folder, 2 * settings.adapter.rank * base.model.config.hiddenSize);
  const recommender = assemble(settings, { base, dataset, sasrec: inner.sasrec });
  const tensors = new Map(recommender.parts.adapter?.namedTensors() ?? []);
  scope(() => overwrite(tensors, loadSealed(folder.best, BEST_HINT), folder.best));
  recommender.parts.adapter?.freeze();
  return { record, folder, recommender, sasrec: inner.sasrec, dataset };
}

/**
 * A record may promise a model of any size: before room is made for it, its weights must be able to fill it.
 * @param values least number of values in a model of the record's sizes
 */
function refuseLarger({ run, best }: RunFolder, values: number): void {
  const { size } = statSync(best);
  if (4 * values > size)
    throw mismatch('format', {
      where: `${run}: settings`,
      expected: `a model that ${size} bytes of best.safetensors can fill`,
      got: `one of at least ${values} values`,
    });
}

async function recommenderFor(
  settings: Settings,
  dataset: Dataset,
  resume: boolean,
  hooks: RunHooks,
): Promise<SASRec> {
  const { device } = settings;
  if (settings.recommender !== undefined) {
    return (await openRun(settings.recommender, { shared: { dataset }, device: device as Device }))
      .sasrec;
  }
  const out = join(settings.out, 'sasrec');
  if (existsSync(new RunFolder(out).summary))
    return (await openRun(out, { shared: { dataset }, device: device as Device })).sasrec;
  return (await trainSasrec({ ...settings, method: 'sasrec', out }, dataset, resume, hooks)).sasrec;
}

function trainerOptions({ seed, training }: Settings): TrainerOptions {
  return { ...training, seed, totalExamples: training.windows };
}

function validateWith(
  recommender: Recommender,
  instances: readonly Instance[],
  { training }: Settings,
  hooks: RunHooks,
): () => Promise<Validation> {
  return async () => {
    const metrics = await hooks.score(recommender, instances, hooks.signal);
    return { score: metrics[training.select], metrics };
  };
}

function firstRows(dataset: Dataset, count: number): Instance[] {
  const rows = Math.min(count, dataset.rows('validation'));
  return Array.from({ length: rows }, (_, row) => dataset.instance('validation', row));
}
