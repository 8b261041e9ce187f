/**
 * One training run from settings to a model, and opening it again: the same for every method of the registry.
 *
 * Evaluation lies beside this folder, not below it: the caller passes in how recommenders are scored.
 */
import { existsSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type DataProgress, type Dataset, type Instance, openDataset } from '../data/index.js';
import { internal, mismatch } from '../errors/index.js';
import { hashFile, snakeKeys } from '../files/index.js';
import {
  type Base,
  baseDtype,
  hashModel,
  type LoopOptions,
  type Method,
  type Model,
  methodNamed,
  needsCatalog,
  openBase,
  type Parts,
  type Recommender,
  type Selectable,
} from '../recommenders/index.js';
import { type Device, prepareDevice, scope } from '../tensor/index.js';
import { loadSealed, saveSealed } from '../weights/index.js';
import { gradientSource } from './gradients/workers.js';
import { describeMembers, membersFor, namedMembers, openMembers } from './members.js';
import { RunFolder } from './run-folder.js';
import { describePrompt, keepPrompt, withKeptPrompt } from './run-prompt.js';
import { begin, describe, expectSame, type RunRecord, readRecord } from './run-record.js';
import { resolveSettings, type Settings } from './settings.js';
import {
  BEST_HINT,
  type StepReport,
  type TrainingSummary,
  train,
  type Validation,
} from './trainer.js';

/** Metrics a validation can be chosen by, as far as the method can tell them. */
export type ValidationMetrics = Partial<Record<Selectable, number>>;

/** How validation rows are scored. */
export interface ScoreOptions {
  /** N, where the whole catalog shall be scored: `evaluate` says what that gives. */
  catalogSize?: number;
  signal?: AbortSignal;
}

export interface RunHooks {
  /** Scores a recommender on instances. */
  score: (
    recommender: Recommender,
    instances: readonly Instance[],
    options: ScoreOptions,
  ) => Promise<ValidationMetrics>;
  /** A new stage begins: `train sasrec`, `train ilora`. */
  onStage?: (text: string) => void;
  onStep?: (report: StepReport) => void;
  onValidation?: (validation: Validation & { step: number; isBest: boolean }) => void;
  /** How far a method is that learns in one go. */
  onProgress?: (progress: DataProgress) => void;
  /** Something the user should know, such as a damaged checkpoint that was passed over. */
  onNotice?: (text: string) => void;
  signal?: AbortSignal;
}

/** Pieces shared by several runs, so that they are loaded once. */
export interface Shared {
  dataset: Dataset;
  base?: Base;
}

/** A trained model with all that belongs to it. */
export interface Run {
  record: RunRecord;
  folder: RunFolder;
  method: Method;
  model: Model;
  /** The model's, for those who only want scores. */
  recommender: Recommender;
  /** The run of the encoder behind gate and slots. */
  encoder?: Run;
  /** The runs that it combines. */
  members?: readonly Run[];
  dataset: Dataset;
  summary?: TrainingSummary;
}

/** Where a run finds what it needs. */
export interface TrainOptions {
  /** The dataset, and the base if it is open already; it must carry no adapter. */
  shared: Shared;
  /** Path of the base's files, for methods that need one. */
  basePath?: string;
  /** Continues the run in the folder. */
  resume?: boolean;
}

/**
 * Trains what the settings say. A method that needs an encoder and names no run of one trains it in
 * OUT/(its method) first, and so with members.
 *
 * @throws IloraError `settings` if a resumed run was begun with others, and all that the loop throws
 * @throws AbortError after saving, when the signal fires
 */
export async function trainRun(
  settings: Settings,
  options: TrainOptions,
  hooks: RunHooks,
): Promise<Run> {
  const { shared, basePath, resume = false } = options;
  const method = methodNamed(settings.method);
  const device = settings.device as Device;
  prepareDevice(device);
  const path = method.needs.base ? (shared.base?.path ?? basePath) : undefined;
  if (method.needs.base && path === undefined)
    throw mismatch('usage', { where: 'trainRun', expected: 'the path of a base', got: undefined });
  const folder = new RunFolder(settings.out);
  folder.prepare(resume);
  return folder.whileLocked(async () => {
    const { dataset } = shared;
    const encoder = method.needs.encoder ? await encoderFor(settings, options, hooks) : undefined;
    const members = method.needs.members
      ? await membersFor(settings, options, hooks, { open: openRun, train: trainRun })
      : undefined;
    const record: RunRecord = {
      ...describe(settings, dataset),
      ...(path !== undefined && {
        base: {
          path: resolve(path),
          sha256: hashModel(path),
          dtype: shared.base?.dtype ?? baseDtype(settings.dtype ?? 'auto', device),
        },
      }),
      ...describePrompt(settings),
      ...(encoder && {
        encoder: {
          path: relative(resolve(settings.out), resolve(encoder.folder.path)),
          sha256: hashFile(encoder.folder.best),
        },
      }),
      ...(members && describeMembers(settings.out, members)),
    };
    begin(folder, record, resume);
    keepPrompt(folder, settings);
    const own = withKeptPrompt(folder, settings, record);
    const parts = partsOf(path, { settings, record, shared, encoder, members });
    const model = method.build(own, parts);
    hooks.onStage?.(`train ${method.name}`);
    const summary = await learn({ method, model, settings, parts, folder }, hooks);
    model.freeze();
    return runOf({ record, folder, method, model, encoder, members, dataset, summary });
  });
}

/**
 * Checks that a run was begun with these settings, the wording of its prompt included.
 * @throws IloraError `settings` if it was not
 */
export function expectSettings(folder: RunFolder, settings: Settings): void {
  expectSame(folder, { settings, ...describePrompt(settings) }, ['settings', 'prompt']);
}

interface Lesson {
  method: Method;
  model: Model;
  settings: Settings;
  parts: Parts;
  folder: RunFolder;
}

/** Gives a fresh model its values, by gradients or in one go, and leaves them in the folder. */
async function learn(lesson: Lesson, hooks: RunHooks): Promise<TrainingSummary> {
  const { model, settings, parts, folder } = lesson;
  const { learning } = lesson.method;
  if (learning.kind === 'fit') return fit(lesson, learning, hooks);
  const learner = learning.learner(model, settings, parts);
  const loop = learning.loop(settings, learner, parts);
  const { select } = loop;
  if (needsCatalog(select) && model.retriever === undefined)
    throw mismatch('settings', {
      where: `${settings.out}: select`,
      expected: 'a metric of the frozen candidates, for a method that cannot score the catalog',
      got: select,
    });
  const validation = {
    ...{ model, select, instances: validationOf(parts.dataset, loop) },
    ...(needsCatalog(select) && { catalogSize: parts.dataset.catalog.size }),
  };
  const gradients = await gradientSource(learner, loop, hooks.signal);
  try {
    return await train(
      learner,
      folder,
      { ...loop, seed: settings.seed },
      { ...hooks, gradients, validate: () => validate(validation, hooks) },
    );
  } finally {
    const closed = gradients.close();
    // After a stop nobody waits for workers to come out of an operator.
    if (hooks.signal?.aborted !== true) await closed;
  }
}

/** Counts or solves. */
async function fit(
  { model, settings, parts, folder }: Lesson,
  learning: Extract<Method['learning'], { kind: 'fit' }>,
  { signal, onProgress }: RunHooks,
): Promise<TrainingSummary> {
  const started = performance.now();
  const chosen = await learning.fit(model, settings, parts, { signal, onProgress });
  scope(() => saveSealed(folder.best, model.state()));
  const seconds = (performance.now() - started) / 1000;
  const examples = parts.dataset.rows('train');
  const summary = { ...(chosen && { chosen }), steps: 0, examples, seconds, bestStep: 0 };
  folder.writeJson(folder.summary, snakeKeys(summary));
  return summary;
}

/**
 * Opens a run folder.
 * @param where overrides for what may lie elsewhere by now; `shared` parts are used as they are
 * @throws IloraError `file` or `format`; `data` where dataset, base, encoder or members are not those of the run
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
  const folder = new RunFolder(path);
  const said: Settings = { ...record.settings, ...(device && { device }) };
  const method = methodNamed(said.method);
  prepareDevice(said.device as Device);
  const dataset = shared?.dataset ?? (await openDataset(data ?? said.data));
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
  const settings = withKeptPrompt(folder, said, record);
  const encoder = record.encoder && (await openEncoder(path, record.encoder, dataset, device));
  const members =
    record.members &&
    (await openMembers(
      path,
      record.members,
      { dataset, ...(device && { device }), ...(basePath && { basePath }) },
      openRun,
    ));
  const place = record.base && (shared?.base?.path ?? basePath ?? record.base.path);
  if (place !== undefined) checkBase(place, record);
  const parts = partsOf(place, {
    settings,
    record,
    shared: { ...shared, dataset },
    encoder,
    members,
  });
  refuseLarger(folder, method.leastValues(settings, parts));
  const model = method.build(settings, parts);
  scope(() => model.load(loadSealed(folder.best, BEST_HINT), folder.best));
  model.freeze();
  return runOf({ record, folder, method, model, encoder, members, dataset });
}

async function openEncoder(
  path: string,
  { path: place, sha256: wanted }: NonNullable<RunRecord['encoder']>,
  dataset: Dataset,
  device: Device | undefined,
): Promise<Run> {
  const run = await openRun(join(path, place), { shared: { dataset }, ...(device && { device }) });
  const got = hashFile(run.folder.best);
  if (wanted !== undefined && wanted !== got)
    throw mismatch('data', {
      where: run.folder.best,
      expected: `the encoder the run was trained on (sha256 ${wanted.slice(0, 12)})`,
      got: got.slice(0, 12),
    });
  return run;
}

function checkBase(place: string, { base }: RunRecord): void {
  const sha256 = hashModel(place);
  if (sha256 === base?.sha256) return;
  throw mismatch('data', {
    where: place,
    expected: `the base the run was trained on (sha256 ${base?.sha256.slice(0, 12)})`,
    got: sha256.slice(0, 12),
    hint: 'pull or copy it anew',
  });
}

/** What a model of the run is made from; the base is opened here unless it is open already. */
function partsOf(
  basePath: string | undefined,
  {
    settings,
    record,
    shared,
    encoder,
    members,
  }: {
    settings: Settings;
    record: RunRecord;
    shared: Shared;
    encoder: Run | undefined;
    members: readonly Run[] | undefined;
  },
): Parts {
  const base =
    basePath === undefined
      ? undefined
      : (shared.base ??
        openBase(basePath, {
          device: settings.device as Device,
          dtype: settings.dtype ?? 'auto',
          sha256: record.base?.sha256,
        }));
  return {
    dataset: shared.dataset,
    ...(base && { base }),
    ...(encoder && { encoder: encoderIn(encoder) }),
    ...(members && { members: namedMembers(members) }),
  };
}

/** The encoder that a run trained. @throws IloraError `usage` if its method makes none */
function encoderIn({ model, folder, method }: Run): NonNullable<Parts['encoder']> {
  if (model.encoder !== undefined) return model.encoder;
  throw mismatch('usage', {
    where: `encoder: ${folder.path}`,
    expected: 'a run of a method that encodes histories',
    got: method.name,
    hint: '`ilora methods` lists what each method can do',
  });
}

function runOf({ encoder, members, summary, ...run }: Omit<Run, 'recommender'>): Run {
  return {
    ...run,
    recommender: run.model.recommender,
    ...(encoder && { encoder }),
    ...(members && { members }),
    ...(summary && { summary }),
  };
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

/** The run of the encoder that the settings name, or of one that is trained beside this run first. */
async function encoderFor(
  settings: Settings,
  { shared: { dataset }, resume = false }: TrainOptions,
  hooks: RunHooks,
): Promise<Run> {
  const { encoder, data, seed, out } = settings;
  const device = settings.device as Device;
  const shared = { dataset };
  if (encoder === undefined || typeof encoder === 'string')
    return openRun(encoder ?? '', { shared, device });
  const folder = new RunFolder(join(out, encoder.method));
  if (existsSync(folder.summary)) return openRun(folder.path, { shared, device });
  const own = resolveSettings(
    { ...encoder, data, seed, device, out: folder.path },
    `${out}: encoder`,
  );
  return trainRun(own, { shared, resume }, hooks);
}

async function validate(
  {
    model: { recommender },
    select,
    instances,
    catalogSize,
  }: {
    model: Model;
    select: Selectable;
    instances: readonly Instance[];
    catalogSize?: number;
  },
  { score, signal }: RunHooks,
): Promise<Validation> {
  const metrics = await score(recommender, instances, {
    ...(catalogSize !== undefined && { catalogSize }),
    ...(signal && { signal }),
  });
  const chosenBy = metrics[select];
  if (chosenBy === undefined) throw internal(`a validation without ${select}`);
  return { score: chosenBy, metrics };
}

/** The rows that a loop validates on. */
function validationOf(
  dataset: Dataset,
  {
    protocol = 'window',
    validationWindows,
    validationRows = Number.POSITIVE_INFINITY,
  }: Pick<LoopOptions, 'protocol' | 'validationWindows' | 'validationRows'>,
): Instance[] {
  if (validationWindows !== undefined)
    return [...dataset.windows('validation', { perUser: validationWindows, protocol })].slice(
      0,
      validationRows,
    );
  const rows = Math.min(validationRows, dataset.rows('validation'));
  return Array.from({ length: rows }, (_, row) =>
    dataset.instance('validation', row, { protocol }),
  );
}
