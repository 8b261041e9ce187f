/**
 * `ilora study`: several methods on one dataset, from one settings file to a report.
 */
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { parse } from 'yaml';
import { describeMeasuring, formatEvaluationTable } from '../analysis/index.js';
import { mismatch } from '../errors/index.js';
import { writeFileAtomic } from '../files/index.js';
import {
  figuresOf,
  resultsOf,
  resultsText,
  runStudy,
  runStudyMethod,
  type Study,
  type StudySection,
  studySettings,
  studySummary,
} from '../studies/index.js';
import { readDocument } from '../training/index.js';
import { wholeNumber } from './arguments.js';
import { interruptible } from './interrupt.js';
import { command } from './invocation.js';
import { resolveModel } from './model.js';
import { note, print, printJson } from './terminal.js';
import { studyHooks } from './train-hooks.js';

export function studyCommand() {
  return new Command('study')
    .description('train and compare several methods on one dataset, and write a report')
    .requiredOption('--config <file>', 'settings of all methods (YAML); runs/movielens.yaml is one')
    .option('--method <name>', 'train only this method; a later call without it goes on from there')
    .option('--wide-rows <n>', 'measure up to n windows per test user too', wholeNumber)
    .option('--generate', 'let language models answer in words too')
    .option('--set <key=value...>', 'another value for a key, such as training.windows=100')
    .option('--base <path>', 'base model, if it lies elsewhere')
    .option('--machine <name>', 'how the result names this machine')
    .option('--result <file>', 'write what came of every row, and the figures, as JSON')
    .option('--json', 'print them as one JSON document')
    .action(
      async ({ config, method, wideRows, generate, set = [], base, machine, result, json }) => {
        const input = readDocument(config);
        for (const assignment of set) assign(input, assignment);
        const settings = studySettings(input, config);
        const { base: baseName } = settings.common;
        const basePath = baseName === undefined ? undefined : (base ?? resolveModel(baseName));
        const study: Study = {
          title: String(input.title ?? settings.variants.map(({ label }) => label).join(', ')),
          settings,
          ...(basePath !== undefined && { basePath }),
          ...(wideRows !== undefined && { wideRowsPerUser: wideRows }),
          ...(generate && { isGenerating: true }),
          command: command(
            ...['study', '--config', config],
            ...(wideRows === undefined ? [] : ['--wide-rows', String(wideRows)]),
            ...(generate ? ['--generate'] : []),
            ...set.flatMap((assignment) => ['--set', assignment]),
          ),
        };
        if (method !== undefined) {
          await interruptible((signal) => runStudyMethod(study, method, studyHooks(signal)));
          note(`${method} is done; the call without --method puts all together`);
          return;
        }
        const done = await interruptible((signal) => runStudy(study, studyHooks(signal)));
        const place = { commit: commit(), ...(machine !== undefined && { machine }) };
        const summary = studySummary(study, done, place);
        if (result !== undefined) {
          const rows = resultsOf(study, done, place);
          const figures = figuresOf(rows, basename(result, '.json'));
          writeFileAtomic(result, resultsText({ ...rows, figures }));
        }
        if (json) {
          printJson({ ...summary, report: done.report });
          return;
        }
        for (const section of done.sections) printSection(section);
        print(`report: ${done.report}`);
      },
    );
}

/** Rows of the study as a table. */
function printSection({ split, perUser, evaluations }: StudySection): void {
  const rows = perUser === undefined ? '' : `, up to ${perUser} rows per user`;
  print(`${split}${rows}: ${evaluations[0]?.numRows} rows`);
  print(formatEvaluationTable(evaluations));
  for (const line of describeMeasuring(evaluations)) print(line);
  print('');
}

/** Sets `a.b=VALUE`; the value is read as YAML. */
function assign(target: Record<string, unknown>, assignment: string): void {
  const [, path, text] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined || text === undefined)
    throw mismatch('usage', {
      where: '--set',
      expected: 'key=value, such as training.windows=100',
      got: assignment,
    });
  const keys = path.split('.');
  let place = target;
  for (const key of keys.slice(0, -1)) {
    place[key] ??= {};
    const inner = place[key];
    if (typeof inner !== 'object' || inner === null)
      throw mismatch('usage', {
        where: `--set ${path}`,
        expected: `${key} to hold keys of its own`,
        got: inner,
      });
    place = inner as Record<string, unknown>;
  }
  place[keys.at(-1) as string] = readValue(path, text);
}

function readValue(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const parts = { where: `--set ${path}`, expected: 'a value in YAML', got: text };
    throw mismatch('usage', parts, error);
  }
}

/** Of the checkout that the program runs from, where it is one. */
function commit(): string {
  try {
    const cwd = import.meta.dirname;
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
