/**
 * `ilora data audit`: what could make results on a dataset mean something else than they seem to, and
 * how far titles alone move items in the ranking of a trained run.
 */
import { Command, Option } from '@commander-js/extra-typings';
import {
  auditDataset,
  auditShortcuts,
  type Finding,
  formatFindings,
  formatHostileTitles,
  type HostileTitles,
  hostileFinding,
  isAtLeast,
  measureHostileTitles,
  passesPerRow,
  rowsToRank,
  type Severity,
} from '../audit/index.js';
import { type Dataset, openDataset } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { openRun } from '../training/index.js';
import { wholeNumber } from './arguments.js';
import { thousands } from './data-report.js';
import { interruptible } from './interrupt.js';
import { Progress, print, printJson } from './terminal.js';

/** The verb `audit` of `ilora data`. */
export function auditCommand() {
  return new Command('audit')
    .description('look for what makes results on a dataset misleading')
    .argument('[folder]', 'dataset folder; with --titles it may be left out')
    .option('--titles', 'measure what hostile titles do to the ranking of trained runs')
    .option('--run <folders...>', 'run folders for --titles')
    .option('--rows <n>', 'test rows for --titles', wholeNumber, 20)
    .option('--base <path>', 'base model of the runs, if it has moved')
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 if a finding is this bad').choices([
        'warning',
        'severe',
      ] as const),
    )
    .option('--json', 'print one JSON document')
    .action(async (folder, { titles, run: runs = [], rows, base, failOn, json }) => {
      checkUsage(folder, titles ?? false, runs);
      const given =
        folder === undefined
          ? undefined
          : await openDataset(folder, { acceptFaultyCandidates: true });
      const findings: Finding[] = [];
      if (given !== undefined)
        findings.push(...auditDataset(given), ...(await auditShortcuts(given)));
      const measured: (HostileTitles & { run: string })[] = [];
      let dataset = given;
      for (const run of runs) {
        const result = await hostileTitles(run, {
          rows,
          ...(given && { given }),
          ...(base && { base }),
        });
        dataset ??= result.dataset;
        measured.push({ run, ...result.measured });
        findings.push(hostileFinding(result.measured, run));
      }
      if (json)
        printJson({
          dataset: describe(dataset!),
          findings,
          ...(measured.length > 0 && { titles: measured }),
        });
      else print(inWords(dataset!, findings, measured));
      if (failOn !== undefined && findings.some((finding) => isAtLeast(finding, failOn)))
        process.exitCode = 1;
    });
}

function checkUsage(folder: string | undefined, titles: boolean, runs: readonly string[]): void {
  const refuse = (expected: string, got: unknown) =>
    mismatch('usage', { where: 'ilora data audit', expected, got });
  if (titles && runs.length === 0) throw refuse('--run FOLDER beside --titles', undefined);
  if (!titles && runs.length > 0) throw refuse('--titles beside --run', runs.join(' '));
  if (folder === undefined && !titles) throw refuse('a dataset folder', undefined);
}

/** Opens a run and measures it on evenly spaced test rows. */
async function hostileTitles(
  path: string,
  { rows, given, base }: { rows: number; given?: Dataset; base?: string },
): Promise<{ dataset: Dataset; measured: HostileTitles }> {
  const run = await openRun(path, {
    ...(given && { shared: { dataset: given } }),
    ...(base && { basePath: base }),
  });
  const { dataset, model } = run;
  const instances = rowsToRank(dataset, rows);
  if (instances.length === 0)
    throw mismatch('data', {
      where: dataset.folder,
      expected: 'test rows with their target among the candidates',
      got: 0,
    });
  const total = instances.length * passesPerRow;
  const progress = new Progress(`retitle for ${model.recommender.name}`, total, 'rows');
  const measured = await interruptible((signal) =>
    measureHostileTitles(model, instances, {
      titleOf: (item) => dataset.catalog.items[item]!.title,
      signal,
      onProgress: (done) => progress.update(done),
    }),
  ).finally(() => progress.end());
  return { dataset, measured };
}

function describe({ folder, hash, manifest }: Dataset): Record<string, unknown> {
  const { name, counts, splitRule } = manifest;
  return { folder, name, hash, counts, splitRule };
}

function inWords(
  dataset: Dataset,
  findings: readonly Finding[],
  measured: readonly HostileTitles[],
): string {
  const { name, counts } = dataset.manifest;
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const notKnown = findings.filter(({ isKnown }) => !isKnown).length;
  return [
    `${name} in ${dataset.folder}: ${thousands(counts.items)} items, ${thousands(counts.users)} sequences, ${thousands(counts.interactions)} interactions`,
    '',
    formatFindings(findings, process.stdout.columns ?? 140),
    '',
    ...measured.flatMap((result) => [formatHostileTitles(result), '']),
    `${count('severe')} severe, ${count('warning')} warnings, ${notKnown} that cannot be told, ${findings.length} findings`,
  ].join('\n');
}
