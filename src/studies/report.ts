/**
 * What the report shows of a study.
 */
import { stringify } from 'yaml';
import type { ReportData, ReportMethod } from '../analysis/index.js';
import type { Comparison } from '../evaluation/index.js';
import { METHOD_NAMES, methodNamed } from '../recommenders/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import { type RunFolder, readRecord } from '../training/index.js';
import type { Study, StudyMethod, StudyResult } from './types.js';

export function reportData(study: Study, result: StudyResult, main: StudyMethod): ReportData {
  const { dataset, methods, comparisons, wideComparisons } = result;
  const { libtorch, threads } = engineInfo();
  const { common, document } = study.settings;
  const { base } = readRecord(main.folder.path);
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
    methods: methods.map((method) => reportMethod(method, method === main)),
    comparisons: [
      ...labelled(comparisons),
      ...labelled(wideComparisons, ' (several windows per user)'),
    ],
    expertWeights: main.evaluation.outcomes
      .filter(({ gates }) => gates !== undefined)
      .slice(0, 10)
      .map(({ user, gates = [] }) => ({ user, weights: gates })),
    examples: result.examples,
    settings: stringify(document),
    seeds: { training: common.seed, candidates: dataset.manifest.candidates.seed },
    hashes: { dataset: dataset.hash, ...(base && { base: base.sha256 }) },
    machine: {
      processor: processorName(),
      device: common.device,
      threads: String(threads),
      libtorch: libtorch.version,
      node: process.version,
    },
    timings: methods.flatMap(({ method: { label }, trainSeconds, evaluation }) => [
      { label: `train ${label}`, seconds: trainSeconds },
      { label: `evaluate ${label}`, seconds: evaluation.seconds },
    ]),
    command: study.command,
  };
}

function reportMethod(
  { method, evaluation, trainSeconds, folder }: StudyMethod,
  isMain: boolean,
): ReportMethod {
  const losses = lossPoints(folder);
  return {
    label: method.label,
    evaluation,
    isMain,
    trainSeconds,
    ...(losses.length > 0 && { losses }),
  };
}

function labelled(comparisons: readonly Comparison[], suffix = '') {
  return comparisons.map((comparison) => ({
    first: `${labelOf(comparison.methods[0])}${suffix}`,
    second: `${labelOf(comparison.methods[1])}${suffix}`,
    comparison,
  }));
}

const labelOf = (name: string): string =>
  METHOD_NAMES.includes(name) ? methodNamed(name).label : name;

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
