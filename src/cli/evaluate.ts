/**
 * `ilora evaluate`: a trained run beside simple counts on the same frozen candidates.
 */
import { Command, Option } from '@commander-js/extra-typings';
import { describeComparison, formatEvaluationTable } from '../analysis/index.js';
import { splitNames } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import {
  compareWithAll,
  type Evaluation,
  evaluationDocument,
  evaluationSummary,
} from '../evaluation/index.js';
import { writeFileAtomic } from '../files/index.js';
import { evaluateShown, generateShown, rowsOf, yardsticks } from '../studies/index.js';
import { openRun } from '../training/index.js';
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
    .option('--rows <n>', 'only the first n rows', wholeNumber)
    .option('--generate', 'also let the model answer in words, as the papers do')
    .option('--data <folder>', 'dataset folder, if it has moved')
    .option('--base <path>', 'base model, if it has moved')
    .option('--out <file>', 'write what came of every row, as JSON')
    .option('--json', 'print one JSON document')
    .action(async ({ run: path, split, rows, generate, data, base, out, json }) => {
      const { own, others, generated } = await interruptible(async (signal) => {
        const hooks = studyHooks(signal);
        const run = await openRun(path, { ...(data && { data }), ...(base && { basePath: base }) });
        const { recommender, generator } = run.model;
        if (generate && generator === undefined)
          throw mismatch('usage', {
            where: '--generate',
            expected: 'a run of a method that generates text (`ilora methods` lists them)',
            got: recommender.name,
          });
        const instances = rowsOf(run.dataset, split, rows);
        note(
          `${instances.length} rows of ${split}, ${instances[0]?.candidates.length} candidates each`,
        );
        const others: Evaluation[] = [];
        const except = [run.method.name];
        for (const yardstick of await yardsticks(run.dataset, { except, signal }))
          others.push(await evaluateShown(yardstick, instances, hooks));
        const own = await evaluateShown(recommender, instances, hooks);
        const generated =
          generate && generator
            ? [await generateShown({ recommender, generator }, instances, hooks)]
            : [];
        return { own, others, generated };
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
      for (const comparison of comparisons) {
        const [first, second] = comparison.methods;
        const { evidence, conclusion } = describeComparison({ first, second, comparison });
        print(`${conclusion} ${evidence}`);
      }
    });
}
