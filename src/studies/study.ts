/**
 * One comparison of methods, from a dataset to a report.
 *
 * `ilora quickstart` runs it small, `ilora study` as long as its settings say. Every stage leaves its result in the folder, so
 * a stopped study goes on where it was.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeReport } from '../analysis/index.js';
import { type Dataset, type Instance, openDataset, type SplitName } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import {
  type Comparison,
  compareWithAll,
  type Evaluation,
  evaluationDocument,
  readEvaluation,
} from '../evaluation/index.js';
import { parseStrictJson, readText, writeFileAtomic } from '../files/index.js';
import { type Base, MAIN, type Method, openBase, REFERENCE } from '../recommenders/index.js';
import { type Device, prepareDevice } from '../tensor/index.js';
import {
  expectSettings,
  openRun,
  type Run,
  RunFolder,
  type Settings,
  trainRun,
} from '../training/index.js';
import { workedExamples } from './examples.js';
import { reportData } from './report.js';
import { perUser, rowsOf } from './rows.js';
import { evaluateShown, generateShown, type StudyHooks } from './shown.js';
import type { Study, StudyMethod, StudyResult } from './types.js';

/**
 * Runs what is not done yet and writes `report.html`.
 * @throws AbortError after saving, when the signal fires
 */
export async function runStudy(study: Study, hooks: StudyHooks): Promise<StudyResult> {
  const started = performance.now();
  const stages = await Stages.open(study, hooks);
  const methods: StudyMethod[] = [];
  for (const method of study.settings.methods) methods.push(await stages.method(method));
  const main = mainOf(methods);
  const isOf = (wide: boolean) =>
    methods.flatMap(({ evaluation, wide: more }) => (wide ? (more ?? []) : evaluation));
  const result: StudyResult = {
    dataset: stages.dataset,
    ...(stages.base && {
      base: {
        name: study.settings.common.base ?? stages.base.path,
        parameters: stages.base.model.parameterCount,
      },
    }),
    methods,
    comparisons: compareMain(main.method.name, isOf(false)),
    wideComparisons: compareMain(main.method.name, isOf(true)),
    examples: workedExamples(stages.dataset, main.evaluation, stages.test),
    report: join(study.settings.common.out, 'report.html'),
    seconds: 0,
  };
  await writeReport(result.report, reportData(study, result, main));
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/**
 * Trains and evaluates one method of the study and leaves the rest: `runStudy` on the same folder then finds it done.
 * Its encoder must be there already, if the study trains one.
 */
export async function runStudyMethod(study: Study, name: string, hooks: StudyHooks): Promise<void> {
  const { methods } = study.settings;
  const method = methods.find((each) => each.name === name);
  if (method === undefined)
    throw mismatch('usage', {
      where: 'method',
      expected: methods.map((each) => each.name).join(', '),
      got: name,
    });
  await (await Stages.open(study, hooks)).method(method);
}

/** What the study is about: the usual main method, or the last one. */
function mainOf(methods: readonly StudyMethod[]): StudyMethod {
  const usual = methods.find(({ method }) => method.name === MAIN.name);
  return usual ?? (methods.at(-1) as StudyMethod);
}

/** The main method against all others, its reference first. */
function compareMain(main: string, evaluations: readonly Evaluation[]): Comparison[] {
  const own = evaluations.find(({ method }) => method === main);
  if (own === undefined) return [];
  const others = evaluations.filter(({ method }) => method !== main);
  others.sort((a, b) => Number(b.method === REFERENCE.name) - Number(a.method === REFERENCE.name));
  return compareWithAll(own, others);
}

/** Stages that leave their result in the folder and are not done twice. */
class Stages {
  readonly test: Instance[];
  readonly #wideRows: Instance[];
  #base: Base | undefined;

  private constructor(
    readonly study: Study,
    readonly dataset: Dataset,
    readonly hooks: StudyHooks,
  ) {
    this.test = rowsOf(dataset, 'test', { count: study.testRows });
    this.#wideRows = perUser(rowsOf(dataset, 'test-wide'), study.wideRowsPerUser ?? 0);
  }

  static async open(study: Study, hooks: StudyHooks): Promise<Stages> {
    const { out, data, device } = study.settings.common;
    prepareDevice(device as Device);
    const dataset = await openDataset(data);
    mkdirSync(evaluationsIn(out), { recursive: true });
    return new Stages(study, dataset, hooks);
  }

  /** The base, if a method has needed it. */
  get base(): Base | undefined {
    return this.#base;
  }

  /** Trains a method and measures it in all ways that the study asks for. */
  async method(method: Method): Promise<StudyMethod> {
    const settings = this.study.settings.settings.get(method.name) as Settings;
    const run = await this.#train(method, settings);
    const { name } = method;
    const { recommender, generator } = run.model;
    const isWide = this.#wideRows.length > 0 && !isUntrained(method);
    const measured: StudyMethod = {
      method,
      evaluation: await this.#evaluate(run, 'test', this.test),
      ...(isWide && { wide: await this.#evaluate(run, 'test-wide', this.#wideRows) }),
      ...(this.study.isGenerating === true &&
        generator && {
          generated: await this.#once(`${name}.generated`, this.test, () =>
            generateShown({ recommender, generator }, this.test, this.hooks),
          ),
        }),
      trainSeconds: secondsOf(run.folder),
      folder: run.folder,
    };
    run.model.release?.();
    return measured;
  }

  /**
   * Trains, or continues, or opens a finished run.
   * @throws IloraError `settings` if the run was begun with others
   */
  async #train(method: Method, settings: Settings): Promise<Run> {
    const { dataset, study, hooks } = this;
    const base = method.needs.base ? this.#openBase(settings) : undefined;
    const shared = { dataset, ...(base && { base }) };
    const folder = new RunFolder(settings.out);
    if (existsSync(folder.summary)) {
      expectSettings(folder, settings);
      return openRun(settings.out, { shared, device: settings.device as Device });
    }
    this.#forget(method);
    const resume = existsSync(folder.run);
    const { basePath } = study;
    return trainRun(settings, { shared, ...(basePath && { basePath }), resume }, hooks.run);
  }

  /** Removes what an earlier run of the method scored. */
  #forget({ name }: Method): void {
    const folder = evaluationsIn(this.study.settings.common.out);
    const own = readdirSync(folder).filter((file) => file.startsWith(`${name}.`));
    for (const file of own) rmSync(join(folder, file));
  }

  #openBase({ device, dtype = 'auto', base = '' }: Settings): Base {
    if (this.#base !== undefined) return this.#base;
    const { basePath } = this.study;
    if (basePath === undefined)
      throw mismatch('usage', { where: 'study', expected: 'the path of a base', got: undefined });
    this.hooks.note(`base ${base} ...`);
    this.#base = openBase(basePath, { device: device as Device, dtype });
    return this.#base;
  }

  async #evaluate(
    { method, recommender }: Run,
    split: SplitName,
    instances: readonly Instance[],
  ): Promise<Evaluation> {
    return this.#once(`${method.name}.${split}`, instances, () =>
      evaluateShown(recommender, instances, this.hooks),
    );
  }

  /** What an earlier call measured on these very rows, or a new measurement. */
  async #once(
    name: string,
    instances: readonly Instance[],
    make: () => Promise<Evaluation>,
  ): Promise<Evaluation> {
    const path = join(evaluationsIn(this.study.settings.common.out), `${name}.json`);
    const earlier = existsSync(path) ? evaluationIn(path) : undefined;
    if (earlier !== undefined && isOfRows(earlier, instances)) return earlier;
    const evaluation = await make();
    writeFileAtomic(path, JSON.stringify(evaluationDocument(evaluation)));
    return evaluation;
  }
}

function evaluationsIn(out: string): string {
  return join(out, 'evaluations');
}

function isOfRows({ outcomes }: Evaluation, instances: readonly Instance[]): boolean {
  return (
    outcomes.length === instances.length &&
    outcomes.every(({ row }, i) => row === instances[i]?.row)
  );
}

/** An evaluation of an earlier call; one that an earlier version wrote is made anew. */
function evaluationIn(path: string): Evaluation | undefined {
  try {
    return readEvaluation(parseStrictJson(readText(path), path), path);
  } catch (error) {
    if ((error as { code?: string }).code === 'format') return undefined;
    throw error;
  }
}

/** More rows tell nothing more of a language model that learned nothing. */
function isUntrained({ needs, learning }: Method): boolean {
  return needs.base && learning.kind === 'fit';
}

function secondsOf({ summary }: RunFolder): number {
  return (parseStrictJson(readText(summary), summary) as { seconds: number }).seconds;
}
