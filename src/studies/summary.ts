/**
 * A study as one document: what was measured, on what, with what, without the rows.
 */
import { evaluationSummary } from '../evaluation/index.js';
import { engineInfo, processorName } from '../tensor/index.js';
import type { Study, StudyResult, StudySection } from './types.js';

/** What a figure needs beside it: settings, seeds, hashes, machine. Keys are camelCase. */
export function studySummary(
  study: Study,
  result: StudyResult,
  place: { commit: string; machine?: string },
): Record<string, unknown> {
  const { methods, sections } = result;
  const { libtorch, threads } = engineInfo();
  const [test] = sections;
  const wide = sections.find(
    ({ protocol, perUser }) => protocol === test?.protocol && perUser !== undefined,
  );
  const { data: _, out: __, ...settings } = study.settings.document;
  const runs = methods.flatMap((method) => method.runs);
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
    trainSeconds: Object.fromEntries(runs.map(({ name, trainSeconds }) => [name, trainSeconds])),
    seconds: result.seconds,
    test: test && summarise(test),
    ...(wide && { testWide: summarise(wide) }),
    sections: sections.map(({ evaluations, comparisons, ...rows }) => ({
      ...rows,
      ...summarise({ evaluations, comparisons }),
    })),
    generated: runs.flatMap(({ generated }) =>
      generated === undefined ? [] : [evaluationSummary(generated)],
    ),
  };
}

function summarise({
  evaluations,
  comparisons,
}: Pick<StudySection, 'evaluations' | 'comparisons'>) {
  return { evaluations: evaluations.map(evaluationSummary), comparisons };
}
