/**
 * One comparison of methods, from a dataset to a report: counts, SASRec, the base alone, uniform LoRA, iLoRA.
 *
 * `ilora quickstart` runs it small, runs/movielens.ts long. Every stage leaves its result in the folder, so
 * a stopped experiment goes on where it was.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import {
  type ReportData,
  type ReportMethod,
  type WorkedExample,
  writeReport,
} from '../analysis/index.js';
import { type Dataset, type Instance, openDataset, type SplitName } from '../data/index.js';
import { type Comparison, compareWithAll, type Evaluation } from '../evaluation/index.js';
import { writeFileAtomic } from '../files/index.js';
import { type Base, LlmRecommender, openBase, type Recommender } from '../recommenders/index.js';
import { type Device, engineInfo, prepareDevice, processorName } from '../tensor/index.js';
import {
  baseRecommender,
  openRun,
  type Run,
  RunFolder,
  type Settings,
  trainRun,
} from '../training/index.js';
import { countBaselines, evaluateShown, generateShown, rowsOf } from './evaluate.js';
import { note } from './terminal.js';
import { trainHooks } from './train-hooks.js';

export interface ExperimentPlan {
  title: string;
  /** Folder for runs, evaluations, report. */
  out: string;
  /** Path of the base model's files. */
  basePath: string;
  /** Name shown for the base. */
  baseName: string;
  /** Settings of all methods; `method`, `out` and `recommender` are filled in. `data` is the dataset. */
  settings: Settings;
  /** Only the first rows of the test split. */
  testRows?: number;
  /** Also evaluate on up to this many windows per test user, of those in `test-wide`. */
  wideRowsPerUser?: number;
  /** Also generate answers with the language-model methods. */
  isGenerating?: boolean;
  /** Command that repeats it, for the report. */
  command: string;
}

/** Names and order of the methods. */
export const METHODS = ['popularity', 'cooccurrence', 'sasrec', 'base', 'lora', 'ilora'] as const;
export type MethodName = (typeof METHODS)[number];

const LABELS: Record<MethodName, string> = {
  popularity: 'Popularity',
  cooccurrence: 'Co-occurrence',
  sasrec: 'SASRec',
  base: 'Base, untrained',
  lora: 'LoRA',
  ilora: 'iLoRA',
};

export interface ExperimentResult {
  dataset: Dataset;
  base: { name: string; parameters: number };
  evaluations: Record<MethodName, Evaluation>;
  /** iLoRA against each other method, Holm-corrected; LoRA first. */
  comparisons: Comparison[];
  wide?: { evaluations: Evaluation[]; comparisons: Comparison[] };
  generated: Evaluation[];
  trainSeconds: Partial<Record<MethodName, number>>;
  examples: WorkedExample[];
  report: string;
  seconds: number;
}

/** Methods that train the language model; each can be run by a process of its own. */
export const TRAINED_ON_BASE = ['lora', 'ilora'] as const;

/**
 * Runs what is not done yet and writes `report.html`.
 * @throws AbortError after saving, when the signal fires
 */
export async function runExperiment(
  plan: ExperimentPlan,
  signal: AbortSignal,
): Promise<ExperimentResult> {
  const started = performance.now();
  const { out, settings } = plan;
  const stages = await Stages.open(plan, signal);
  const { dataset } = stages;
  await stages.countsAndSasrec();
  const base = stages.openBase();
  await stages.measure('base', () => baseRecommender(settings, base, dataset));
  let main: Run | undefined;
  for (const method of TRAINED_ON_BASE) {
    const run = await stages.onBase(method, base);
    if (method === 'ilora') main = run;
    else if (run.recommender instanceof LlmRecommender) run.recommender.parts.adapter?.remove();
  }

  // ---- what it says ---------------------------------------------------------------------------------
  const complete = stages.evaluations as Record<MethodName, Evaluation>;
  const { wide, generated, trainSeconds, test } = stages;
  const comparisons = compareIlora(METHODS.map((name) => complete[name]));
  const result: ExperimentResult = {
    dataset,
    base: { name: plan.baseName, parameters: base.model.parameterCount },
    evaluations: complete,
    comparisons,
    ...(wide.length > 0 && { wide: { evaluations: wide, comparisons: compareIlora(wide) } }),
    generated,
    trainSeconds,
    examples: workedExamples(dataset, complete.ilora, test),
    report: join(out, 'report.html'),
    seconds: 0,
  };
  await writeReport(result.report, reportData(plan, result, main?.folder));
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/**
 * Trains and evaluates one method of the experiment and leaves the rest: `runExperiment` on the same folder then
 * finds it done. SASRec must be there already.
 */
export async function runMethod(
  plan: ExperimentPlan,
  method: (typeof TRAINED_ON_BASE)[number],
  signal: AbortSignal,
): Promise<void> {
  const stages = await Stages.open(plan, signal);
  await stages.onBase(method, stages.openBase());
}

/** Counts and SASRec of the experiment, on which the other methods stand. */
export async function runSasrec(plan: ExperimentPlan, signal: AbortSignal): Promise<void> {
  await (await Stages.open(plan, signal)).countsAndSasrec();
}

/** iLoRA against all others, LoRA first. */
function compareIlora(evaluations: readonly Evaluation[]): Comparison[] {
  const ilora = evaluations.find(({ method }) => method === 'ilora') as Evaluation;
  const others = evaluations.filter(({ method }) => method !== 'ilora');
  others.sort((a, b) => Number(b.method === 'lora') - Number(a.method === 'lora'));
  return compareWithAll(ilora, others);
}

/** Stages that leave their result in the folder and are not done twice. */
class Stages {
  readonly evaluations: Partial<Record<MethodName, Evaluation>> = {};
  readonly wide: Evaluation[] = [];
  readonly generated: Evaluation[] = [];
  readonly trainSeconds: Partial<Record<MethodName, number>> = {};
  readonly test: Instance[];
  readonly #wideRows: Instance[];

  private constructor(
    readonly plan: ExperimentPlan,
    readonly dataset: Dataset,
    readonly signal: AbortSignal,
  ) {
    this.test = rowsOf(dataset, 'test', plan.testRows);
    this.#wideRows = perUser(rowsOf(dataset, 'test-wide'), plan.wideRowsPerUser ?? 0);
  }

  static async open(plan: ExperimentPlan, signal: AbortSignal): Promise<Stages> {
    prepareDevice(plan.settings.device as Device);
    mkdirSync(join(plan.out, 'evaluations'), { recursive: true });
    return new Stages(plan, await openDataset(plan.settings.data), signal);
  }

  openBase(): Base {
    const { basePath, baseName, settings } = this.plan;
    note(`base ${baseName} ...`);
    return openBase(basePath, { device: settings.device as Device, dtype: settings.dtype });
  }

  async countsAndSasrec(): Promise<void> {
    const { settings, out } = this.plan;
    const [popularity, cooccurrence] = await countBaselines(this.dataset, this.signal);
    await this.measure('popularity', () => popularity);
    await this.measure('cooccurrence', () => cooccurrence);
    const sasrec = await this.#train({ ...settings, method: 'sasrec', out: join(out, 'sasrec') });
    await this.measure('sasrec', () => sasrec.recommender);
  }

  async onBase(method: (typeof TRAINED_ON_BASE)[number], base: Base): Promise<Run> {
    const { settings, out } = this.plan;
    const places = { out: join(out, method), recommender: join(out, 'sasrec') };
    const run = await this.#train({ ...settings, method, ...places }, base);
    await this.measure(method, () => run.recommender);
    return run;
  }

  /** All evaluations of a method that the plan asks for. */
  async measure(
    name: MethodName,
    recommender: () => Promise<Recommender> | Recommender,
  ): Promise<void> {
    this.evaluations[name] = await this.#evaluate(name, 'test', this.test, recommender);
    if (this.#wideRows.length > 0 && name !== 'base')
      this.wide.push(await this.#evaluate(name, 'test-wide', this.#wideRows, recommender));
    if (this.plan.isGenerating && (name === 'base' || name === 'lora' || name === 'ilora'))
      this.generated.push(await this.#generate(name, this.test, recommender));
  }

  /** Trains, or continues, or opens a finished run. */
  async #train(settings: Settings, base?: Base): Promise<Run> {
    const { dataset, plan, signal } = this;
    const shared = { dataset, ...(base && { base }) };
    const folder = new RunFolder(settings.out);
    const run = existsSync(folder.summary)
      ? await openRun(settings.out, { shared, device: settings.device as Device })
      : await trainRun(
          settings,
          { shared, basePath: plan.basePath, resume: existsSync(folder.run) },
          trainHooks(signal),
        );
    const summary = JSON.parse(readFileSync(folder.summary, 'utf8')) as { seconds: number };
    this.trainSeconds[settings.method] = summary.seconds;
    return run;
  }

  async #evaluate(
    name: MethodName,
    split: SplitName,
    instances: readonly Instance[],
    recommender: () => Promise<Recommender> | Recommender,
  ): Promise<Evaluation> {
    return this.#once(`${name}.${split}`, async () =>
      evaluateShown(await recommender(), instances, this.signal),
    );
  }

  async #generate(
    name: MethodName,
    instances: readonly Instance[],
    recommender: () => Promise<Recommender> | Recommender,
  ): Promise<Evaluation> {
    return this.#once(`${name}.generated`, async () =>
      generateShown((await recommender()) as LlmRecommender, instances, this.signal),
    );
  }

  async #once(name: string, make: () => Promise<Evaluation>): Promise<Evaluation> {
    const path = join(this.plan.out, 'evaluations', `${name}.json`);
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Evaluation;
    const evaluation = await make();
    writeFileAtomic(path, JSON.stringify(evaluation));
    return evaluation;
  }
}

/** Up to `count` rows of every user, evenly spaced, the last one always. */
function perUser(rows: readonly Instance[], count: number): Instance[] {
  const byUser = new Map<string, Instance[]>();
  for (const row of rows) byUser.set(row.user, [...(byUser.get(row.user) ?? []), row]);
  return [...byUser.values()].flatMap((own) => {
    const kept = Math.min(count, own.length);
    return Array.from(
      { length: kept },
      (_, i) => own[Math.ceil(((i + 1) * own.length) / kept) - 1] as Instance,
    );
  });
}

/** Three test users: the first hit of iLoRA, the first miss, and the next row. */
function workedExamples(
  dataset: Dataset,
  { outcomes }: Evaluation,
  test: readonly Instance[],
): WorkedExample[] {
  const hit = outcomes.findIndex((outcome) => outcome.hit);
  const miss = outcomes.findIndex((outcome) => !outcome.hit);
  const rows = new Set([hit, miss, 0, 1, 2].filter((row) => row >= 0 && row < test.length));
  const titleOf = (item: number): string => dataset.catalog.items[item]?.title ?? '';
  return [...rows].slice(0, 3).map((row) => {
    const { user, history, candidates, target } = test[row] as Instance;
    const { scores = [], gates } = outcomes[row] ?? {};
    return {
      user,
      history: history.map(titleOf),
      candidates: candidates.map((item, i) => ({
        title: titleOf(item),
        score: scores[i] ?? 0,
        isTarget: item === target,
      })),
      ...(gates && { gates }),
    };
  });
}

function reportData(
  plan: ExperimentPlan,
  result: ExperimentResult,
  main: RunFolder | undefined,
): ReportData {
  const { dataset, evaluations, trainSeconds, comparisons, wide } = result;
  const { libtorch, threads } = engineInfo();
  const methods = METHODS.map((name): ReportMethod => {
    const folder = new RunFolder(join(plan.out, name));
    const losses = lossPoints(folder);
    return {
      label: LABELS[name],
      evaluation: evaluations[name],
      isMain: name === 'ilora',
      ...(trainSeconds[name] !== undefined && { trainSeconds: trainSeconds[name] }),
      ...(losses.length > 0 && { losses }),
    };
  });
  const labelled = (list: readonly Comparison[], suffix = '') =>
    list.map((comparison) => ({
      first: `${LABELS[comparison.methods[0] as MethodName]}${suffix}`,
      second: `${LABELS[comparison.methods[1] as MethodName]}${suffix}`,
      comparison,
    }));
  return {
    title: plan.title,
    createdAt: new Date().toISOString(),
    dataset: {
      name: dataset.manifest.name,
      split: 'test',
      numCandidates: dataset.manifest.candidates.count,
      numItems: dataset.catalog.size,
      numTrainRows: dataset.rows('train'),
    },
    methods,
    comparisons: [
      ...labelled(comparisons),
      ...labelled(wide?.comparisons ?? [], ' (several windows per user)'),
    ],
    expertWeights: evaluations.ilora.outcomes
      .filter(({ gates }) => gates !== undefined)
      .slice(0, 10)
      .map(({ user, gates = [] }) => ({ user, weights: gates })),
    examples: result.examples,
    settings: stringify(plan.settings),
    seeds: { training: plan.settings.seed, candidates: dataset.manifest.candidates.seed },
    hashes: { dataset: dataset.hash, ...(main && { base: baseHash(main) }) },
    machine: {
      processor: processorName(),
      device: plan.settings.device,
      threads: String(threads),
      libtorch: libtorch.version,
      node: process.version,
    },
    timings: METHODS.flatMap((name) => [
      ...(trainSeconds[name] === undefined
        ? []
        : [{ label: `train ${LABELS[name]}`, seconds: trainSeconds[name] }]),
      { label: `evaluate ${LABELS[name]}`, seconds: evaluations[name].seconds },
    ]),
    command: plan.command,
  };
}

function baseHash(folder: RunFolder): string {
  const record = JSON.parse(readFileSync(folder.run, 'utf8')) as { base?: { sha256: string } };
  return record.base?.sha256 ?? '';
}

/** Training loss over steps, averaged to a drawable number of points. */
function lossPoints(folder: RunFolder): { step: number; train: number }[] {
  const steps = folder.readMetrics().filter(({ kind }) => kind === 'step') as {
    step: number;
    loss: number;
  }[];
  const window = Math.max(1, Math.ceil(steps.length / 100));
  const points: { step: number; train: number }[] = [];
  for (let i = 0; i < steps.length; i += window) {
    const part = steps.slice(i, i + window);
    const train = part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    points.push({ step: part.at(-1)?.step ?? 0, train });
  }
  return points;
}
