/**
 * What the report shows of a study.
 */
import { stringify } from 'yaml';
import type { ReportData, ReportMethod } from '../analysis/index.js';
import type { Protocol } from '../data/index.js';
import type { Evaluation } from '../evaluation/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import { type RunFolder, readRecord } from '../training/index.js';
import type { Study, StudyMethod, StudyResult } from './types.js';

/** The page of one protocol. */
export function reportData(
  study: Study,
  result: StudyResult,
  { protocol, hasExamples }: { protocol: Protocol; hasExamples: boolean },
): ReportData {
  const { dataset } = result;
  const { libtorch, threads } = engineInfo();
  const { common, document, main, variants } = study.settings;
  const sections = result.sections.filter((section) => section.protocol === protocol);
  const { evaluations } = sections[0]!;
  const methods = result.methods.flatMap((method) => {
    const evaluation = evaluations.find((one) => one.method === method.variant.name);
    return evaluation === undefined ? [] : [{ ...method, evaluation }];
  });
  const own = methods.find(({ variant }) => variant === main);
  const labels = new Map(variants.map(({ name, label }) => [name, label]));
  const labelOf = (name: string): string => labels.get(name) ?? name;
  const { base } = own === undefined ? {} : readRecord(own.runs[0]!.folder.path);
  return {
    title: study.title,
    createdAt: new Date().toISOString(),
    dataset: {
      name: dataset.manifest.name,
      split: 'test',
      numCandidates: dataset.manifest.candidates.count,
      numItems: dataset.catalog.size,
      numTrainRows: dataset.rows('train'),
    },
    methods: methods.map((method) => reportMethod(method, method === own)),
    comparisons: sections.flatMap(({ split, perUser, comparisons }) => {
      const rows =
        perUser === undefined ? 'several windows per user' : `${perUser} windows per user`;
      const suffix = split === 'test' ? '' : ` (${rows})`;
      return comparisons.map((comparison) => ({
        first: `${labelOf(comparison.methods[0])}${suffix}`,
        second: `${labelOf(comparison.methods[1])}${suffix}`,
        comparison,
      }));
    }),
    expertWeights: (own?.evaluation.outcomes ?? [])
      .filter(({ gates }) => gates !== undefined)
      .slice(0, 10)
      .map(({ user, gates = [] }) => ({ user, weights: gates })),
    ...(hasExamples && { examples: result.examples }),
    settings: stringify(document),
    seeds: {
      ...Object.fromEntries(
        common.seeds.map((seed, i) => [i === 0 ? 'training' : `training, ${i + 1}`, seed]),
      ),
      candidates: dataset.manifest.candidates.seed,
    },
    hashes: { dataset: dataset.hash, ...(base && { base: base.sha256 }) },
    machine: {
      processor: processorName(),
      device: common.device,
      threads: String(threads),
      libtorch: libtorch.version,
      node: process.version,
    },
    timings: methods.flatMap(({ variant: { label }, runs, evaluation }) => [
      { label: `train ${label}`, seconds: trainSeconds(runs) },
      { label: `evaluate ${label}`, seconds: evaluation.seconds },
    ]),
    command: study.command,
  };
}

/** Seconds of a run, the mean over seeds. */
const trainSeconds = (runs: StudyMethod['runs']): number =>
  runs.reduce((sum, run) => sum + run.trainSeconds, 0) / runs.length;

function reportMethod(
  { variant, evaluation, runs }: StudyMethod & { evaluation: Evaluation },
  isMain: boolean,
): ReportMethod {
  const losses = lossPoints(runs[0]!.folder);
  return {
    label: variant.label,
    evaluation,
    isMain,
    trainSeconds: trainSeconds(runs),
    ...(losses.length > 0 && { losses }),
  };
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
