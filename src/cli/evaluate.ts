/**
 * `ilora evaluate`: a trained run beside simple counts on the same frozen candidates.
 */
import { Command, Option } from '@commander-js/extra-typings';
import { describeComparison, describeMeasuring, formatEvaluationTable } from '../analysis/index.js';
import { type Protocol, protocols, splitNames } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import {
  affordableCatalog,
  compareWithAll,
  type Evaluation,
  evaluationDocument,
  evaluationSummary,
} from '../evaluation/index.js';
import { writeFileAtomic } from '../files/index.js';
import type { Model } from '../recommenders/index.js';
import { evaluateShown, generateShown, perUser, rowsOf, yardsticks } from '../studies/index.js';
import { openRun, type Run } from '../training/index.js';
import { wholeNumber } from './arguments.js';
import { interruptible } from './interrupt.js';
import { note, print, printJson } from './terminal.js';
import { studyHooks } from './train-hooks.js';

const SPLITS = splitNames.filter((name) => name !== 'train');

export function evaluateCommand() {
  return new Command('evaluate')
    .description('measure a trained run on held-out rows, beside methods that only count')
    .requiredOption('--run <folder>', 'run folder made by `ilora train`')
    .addOption(
      new Option('--split <name>', 'which rows to use').choices(SPLITS).default('test' as const),
    )
    .addOption(
      new Option(
        '--protocol <name>',
        'window: the last items of a history; history: all of it, and what a user has had is no answer',
      )
        .choices(protocols)
        .default('window' as const),
    )
    .option('--rows <n>', 'only the first n rows', wholeNumber)
    .option('--wide-rows <n>', 'up to n rows of every user, evenly spaced', wholeNumber)
    .option('--catalog', 'score all items of the catalog too, even where they are many')
    .option('--no-catalog', 'score the frozen candidates only')
    .option('--generate', 'also let the model answer in words, as the papers do')
    .option('--data <folder>', 'dataset folder, if it has moved')
    .option('--base <path>', 'base model, if it has moved')
    .option('--out <file>', 'write what came of every row, as JSON')
    .option('--json', 'print one JSON document')
    .action(async ({ run: path, data, base, out, json, ...options }) => {
      const { own, others, generated } = await interruptible(async (signal) => {
        const run = await openRun(path, { ...(data && { data }), ...(base && { basePath: base }) });
        return evaluateRun(run, { ...options, signal });
      });
      const evaluations = [...others, own, ...generated];
      const comparisons = compareWithAll(own, others);
      if (out !== undefined)
        writeFileAtomic(out, JSON.stringify(evaluations.map(evaluationDocument)));
      if (json) {
        printJson({ evaluations: evaluations.map(evaluationSummary), comparisons });
        return;
      }
      print(formatEvaluationTable(evaluations));
      for (const line of describeMeasuring(evaluations)) print(line);
      for (const comparison of comparisons) {
        const [first, second] = comparison.methods;
        const { evidence, conclusion } = describeComparison({ first, second, comparison });
        print(`${conclusion} ${evidence}`);
      }
    });
}

interface Asked {
  split: (typeof SPLITS)[number];
  protocol: Protocol;
  rows?: number;
  wideRows?: number;
  /** Whether whole catalogs are scored; left out: where that is affordable. */
  catalog?: boolean;
  generate?: true;
  signal: AbortSignal;
}

/** The run and the yardsticks on the same rows. */
async function evaluateRun(
  run: Run,
  { split, protocol, rows, wideRows, catalog, generate, signal }: Asked,
): Promise<{ own: Evaluation; others: Evaluation[]; generated: Evaluation[] }> {
  const hooks = studyHooks(signal);
  const { recommender, generator } = run.model;
  if (generate && generator === undefined)
    throw mismatch('usage', {
      where: '--generate',
      expected: 'a run of a method that generates text (`ilora methods` lists them)',
      got: recommender.name,
    });
  if (catalog && run.model.retriever === undefined)
    throw mismatch('usage', {
      where: '--catalog',
      expected: 'a run of a method that can score the whole catalog (`ilora methods` lists them)',
      got: recommender.name,
    });
  const all = rowsOf(run.dataset, split, { ...(rows !== undefined && { count: rows }), protocol });
  const instances = wideRows === undefined ? all : perUser(all, wideRows);
  note(`${instances.length} rows of ${split}, ${instances[0]?.candidates.length} candidates each`);
  const { size } = run.dataset.catalog;
  const measure = (model: Model): Promise<Evaluation> => {
    const catalogSize = catalog ? size : affordableCatalog(model, size);
    return evaluateShown(
      model.recommender,
      instances,
      hooks,
      catalog === false ? undefined : catalogSize,
    );
  };
  const others: Evaluation[] = [];
  const except = [run.method.name];
  for (const yardstick of await yardsticks(run.dataset, { except, signal }))
    others.push(await measure(yardstick));
  const own = await measure(run.model);
  const generated =
    generate && generator
      ? [await generateShown({ recommender, generator }, instances, hooks)]
      : [];
  return { own, others, generated };
}
