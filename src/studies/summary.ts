/**
 * A study as one document: what was measured, on what, with what, without the rows.
 */
import { type Comparison, type Evaluation, evaluationSummary } from '../evaluation/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import type { Study, StudyResult } from './types.js';

/** What a figure needs beside it: settings, seeds, hashes, machine. Keys are camelCase. */
export function studySummary(
  study: Study,
  result: StudyResult,
  place: { commit: string; machine?: string },
): Record<string, unknown> {
  const { methods } = result;
  const { libtorch, threads } = engineInfo();
  const wide = methods.flatMap(({ wide: evaluation }) => evaluation ?? []);
  const { data: _, out: __, ...settings } = study.settings.document;
  return {
    createdAt: new Date().toISOString(),
    commit: place.commit,
    command: study.command,
    settings,
    dataset: { name: result.dataset.manifest.name, hash: result.dataset.hash },
    ...(result.base && { base: result.base }),
    machine: {
      name: place.machine ?? processorName(),
      device: study.settings.common.device,
      threads,
      libtorch: libtorch.version,
    },
    wideRowsPerUser: study.wideRowsPerUser ?? 0,
    trainSeconds: Object.fromEntries(
      methods.map(({ method, trainSeconds }) => [method.name, trainSeconds]),
    ),
    seconds: result.seconds,
    test: summarise(
      methods.map(({ evaluation }) => evaluation),
      result.comparisons,
    ),
    ...(wide.length > 0 && { testWide: summarise(wide, result.wideComparisons) }),
    generated: methods.flatMap(({ generated }) =>
      generated === undefined ? [] : [evaluationSummary(generated)],
    ),
  };
}

function summarise(evaluations: readonly Evaluation[], comparisons: readonly Comparison[]) {
  return { evaluations: evaluations.map(evaluationSummary), comparisons };
}
