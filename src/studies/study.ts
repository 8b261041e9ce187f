/**
 * One comparison of methods, from a dataset to a report.
 *
 * `ilora quickstart` runs it small, `ilora study` as long as its settings say. Every stage leaves its result in the folder, so
 * a stopped study goes on where it was.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeReport } from '../analysis/index.js';
import {
  type Dataset,
  type Instance,
  openDataset,
  type Protocol,
  type SplitName,
} from '../data/index.js';
import { mismatch } from '../errors/index.js';
import {
  affordableCatalog,
  type Evaluation,
  evaluationDocument,
  readEvaluation,
  restrict,
} from '../evaluation/index.js';
import { parseStrictJson, readText, writeFileAtomic } from '../files/index.js';
import {
  type Base,
  choiceWindows,
  expectedReciprocalPlace,
  type Method,
  openBase,
} from '../recommenders/index.js';
import { type Device, prepareDevice } from '../tensor/index.js';
import {
  expectSettings,
  openRun,
  type Run,
  RunFolder,
  type Settings,
  trainRun,
} from '../training/index.js';
import { type StudyExample, workedExamples } from './examples.js';
import { reportData } from './report.js';
import { perUser, rowsOf } from './rows.js';
import { isOn, sectionsOf } from './sections.js';
import type { Variant, VariantRun } from './settings.js';
import { evaluateShown, generateShown, type StudyHooks } from './shown.js';
import type { Measured, Study, StudyMethod, StudyResult, StudyRun } from './types.js';

/**
 * Runs what is not done yet and writes `report.html`; of further protocols, `report-PROTOCOL.html`.
 * @throws AbortError after saving, when the signal fires
 */
export async function runStudy(study: Study, hooks: StudyHooks): Promise<StudyResult> {
  const started = performance.now();
  const stages = await Stages.open(study, hooks);
  const { variants, main, protocols, common } = study.settings;
  const methods: StudyMethod[] = [];
  for (const variant of variants) {
    const runs: StudyRun[] = [];
    for (const run of variant.runs) runs.push(await stages.run(variant, run));
    methods.push({ variant, runs });
  }
  const { dataset } = stages;
  const own = methods.find(({ variant }) => variant === main)!;
  const [shown = 'window'] = own.variant.protocols;
  const result: StudyResult = {
    dataset,
    ...(stages.base && {
      base: {
        name: common.base ?? stages.base.path,
        parameters: stages.base.model.parameterCount,
      },
    }),
    methods,
    sections: sectionsOf(
      methods.map(({ variant, runs }) => ({
        ...{ name: variant.name, method: variant.method.name, runs },
      })),
      { main: main.name, pairs: study.settings.pairs },
    ),
    examples: stages.examples,
    ...(study.isChoosing && chosenOf(methods)),
    report: join(common.out, 'report.html'),
    seconds: 0,
  };
  for (const [i, protocol] of protocols.entries()) {
    const path = i === 0 ? result.report : join(common.out, `report-${protocol}.html`);
    await writeReport(
      path,
      reportData(study, result, { protocol, hasExamples: protocol === shown }),
    );
  }
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/**
 * Trains and evaluates one variant of the study, or one of its runs, and leaves the rest: `runStudy` on the same
 * folder then finds it done. Its encoder must be there already, if the study trains one.
 *
 * @param name of a variant, or of one run of it: NAME-seed-S
 */
export async function runStudyMethod(study: Study, name: string, hooks: StudyHooks): Promise<void> {
  const { variants } = study.settings;
  const asked = variants.flatMap((variant) =>
    variant.runs
      .filter((run) => variant.name === name || run.name === name)
      .map((run) => ({ variant, run })),
  );
  if (asked.length === 0)
    throw mismatch('usage', {
      where: 'method',
      expected: variants.map((each) => each.name).join(', '),
      got: name,
    });
  const stages = await Stages.open(study, hooks);
  for (const { variant, run } of asked) await stages.run(variant, run);
}

/** The rows of one protocol. */
interface Rows {
  test: Instance[];
  wide: Instance[];
}

/** Stages that leave their result in the folder and are not done twice. */
class Stages {
  /** Of the main method's first run. */
  examples: readonly StudyExample[] = [];
  readonly #rows = new Map<Protocol, Rows>();
  #base: Base | undefined;

  private constructor(
    readonly study: Study,
    readonly dataset: Dataset,
    readonly hooks: StudyHooks,
  ) {}

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

  rows(protocol: Protocol): Rows {
    const { study, dataset } = this;
    const known = this.#rows.get(protocol);
    if (known !== undefined) return known;
    const made = {
      test: rowsOf(dataset, 'test', { count: study.testRows, protocol }),
      wide: study.wideRowsPerUser ? rowsOf(dataset, 'test-wide', { protocol }) : [],
    };
    this.#rows.set(protocol, made);
    return made;
  }

  /** Trains a run and measures it in all ways that the study asks for. */
  async run(variant: Variant, { name, seed, settings }: VariantRun): Promise<StudyRun> {
    const { method, protocols } = variant;
    const trained = await this.#train(method, name, settings);
    const measured: Measured[] = [];
    for (const protocol of protocols)
      measured.push(...(await this.#measure(trained, { variant, name, protocol })));
    const generated = await this.#generate(trained, { variant, name });
    const quality = await this.#quality(trained, variant);
    if (variant === this.study.settings.main && this.examples.length === 0)
      this.examples = await this.#workedExamples(trained, variant, measured);
    trained.model.release?.();
    return {
      ...{ name, seed, measured, trainSeconds: secondsOf(trained.folder), folder: trained.folder },
      ...(generated && { generated }),
      ...(quality !== undefined && { quality }),
    };
  }

  #workedExamples(
    { model }: Run,
    { protocols: [shown = 'window'] }: Variant,
    measured: readonly Measured[],
  ): Promise<StudyExample[]> {
    const { evaluation } = measured.find(isOn({ protocol: shown, split: 'test' }))!;
    const { dataset } = this;
    return workedExamples(model, { dataset, evaluation }, this.rows(shown).test);
  }

  /** What methods that search the catalog are worth on validation, in the protocol that is shown. */
  async #quality(
    { model: { recommender, retriever } }: Run,
    { protocols: [protocol = 'window'] }: Variant,
  ): Promise<number | undefined> {
    const { dataset, hooks, study } = this;
    if (study.isChoosing !== true || recommender === undefined || retriever === undefined)
      return undefined;
    const windows = choiceWindows(dataset, protocol);
    return expectedReciprocalPlace(recommender, windows, {
      catalogSize: dataset.catalog.size,
      signal: hooks.signal,
    });
  }

  /** All rows of `test`, and of `test-wide`; figures of some rows of it come from the same outcomes. */
  async #measure(
    { model, recommender }: Run,
    { variant, name, protocol }: { variant: Variant; name: string; protocol: Protocol },
  ): Promise<Measured[]> {
    const { dataset, hooks, study } = this;
    const { test, wide } = this.rows(protocol);
    const catalogSize = affordableCatalog(model, dataset.catalog.size);
    const suffix = protocol === 'window' ? '' : `.${protocol}`;
    const on = (split: SplitName, instances: readonly Instance[]): Promise<Evaluation> =>
      this.#once(`${name}.${split}${suffix}`, { instances, protocol, catalogSize }, async () => ({
        ...(await evaluateShown(recommender, instances, hooks, catalogSize)),
        method: variant.name,
      }));
    const measured: Measured[] = [{ protocol, split: 'test', evaluation: await on('test', test) }];
    if (wide.length === 0 || isUntrained(variant.method)) return measured;
    const whole = await on('test-wide', wide);
    const perUserCount = study.wideRowsPerUser!;
    const some = restrict(whole, perUser(wide, perUserCount));
    return [
      ...measured,
      { protocol, split: 'test-wide', evaluation: whole },
      { protocol, split: 'test-wide', perUser: perUserCount, evaluation: some },
    ];
  }

  async #generate(
    { model: { recommender, generator } }: Run,
    { variant, name }: { variant: Variant; name: string },
  ): Promise<Evaluation | undefined> {
    if (this.study.isGenerating !== true || generator === undefined) return undefined;
    const [protocol = 'window'] = variant.protocols;
    const { test: instances } = this.rows(protocol);
    return this.#once(`${name}.generated`, { instances, protocol }, async () => ({
      ...(await generateShown({ recommender, generator }, instances, this.hooks)),
      method: `${variant.name} (generated)`,
    }));
  }

  /**
   * Trains, or continues, or opens a finished run.
   * @throws IloraError `settings` if the run was begun with others
   */
  async #train(method: Method, name: string, settings: Settings): Promise<Run> {
    const { dataset, study, hooks } = this;
    const base = method.needs.base ? this.#openBase(settings) : undefined;
    const shared = { dataset, ...(base && { base }) };
    const folder = new RunFolder(settings.out);
    if (existsSync(folder.summary)) {
      expectSettings(folder, settings);
      return openRun(settings.out, { shared, device: settings.device as Device });
    }
    this.#forget(name);
    const resume = existsSync(folder.run);
    const { basePath } = study;
    return trainRun(settings, { shared, ...(basePath && { basePath }), resume }, hooks.run);
  }

  /** Removes what an earlier run of the name scored. */
  #forget(name: string): void {
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

  /** What an earlier call measured on these very rows, or a new measurement. */
  async #once(name: string, asked: Asked, make: () => Promise<Evaluation>): Promise<Evaluation> {
    const path = join(evaluationsIn(this.study.settings.common.out), `${name}.json`);
    const earlier = existsSync(path) ? evaluationIn(path) : undefined;
    if (earlier !== undefined && isAsked(earlier, asked)) return earlier;
    const evaluation = await make();
    writeFileAtomic(path, JSON.stringify(evaluationDocument(evaluation)));
    return evaluation;
  }
}

/** The method whose first run validation likes best. */
function chosenOf(methods: readonly StudyMethod[]): Pick<StudyResult, 'chosen'> {
  const quality = ({ runs: [first] }: StudyMethod): number =>
    first?.quality ?? Number.NEGATIVE_INFINITY;
  const [best] = methods
    .filter(({ runs: [first] }) => first?.quality !== undefined)
    .sort((a, b) => quality(b) - quality(a));
  return best === undefined ? {} : { chosen: best };
}

/** What is to be measured. */
interface Asked {
  instances: readonly Instance[];
  protocol: Protocol;
  catalogSize?: number | undefined;
}

function evaluationsIn(out: string): string {
  return join(out, 'evaluations');
}

/** Whether an earlier measurement is of these rows, and says as much. */
function isAsked(earlier: Evaluation, { instances, protocol, catalogSize }: Asked): boolean {
  const { outcomes } = earlier;
  return (
    earlier.protocol === protocol &&
    earlier.catalogSize === catalogSize &&
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
