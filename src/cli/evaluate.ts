/**
 * `ilora evaluate`: a trained run beside simple counts on the same frozen candidates.
 */
import { writeFileSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import { describeComparison, formatEvaluationTable } from '../analysis/index.js';
import { type Dataset, type Instance, type SplitName, splitNames } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import {
  compareWithAll,
  type Evaluation,
  evaluate,
  evaluateGenerated,
} from '../evaluation/index.js';
import {
  chooseCooccurrence,
  LlmRecommender,
  Popularity,
  type Recommender,
} from '../recommenders/index.js';
import { openRun } from '../training/index.js';
import { wholeNumber } from './arguments.js';
import { interruptible } from './interrupt.js';
import { note, Progress, print, printJson } from './terminal.js';

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('measure a trained run on held-out rows, beside popularity and co-occurrence')
    .requiredOption('--run <folder>', 'run folder made by `ilora train`')
    .addOption(
      new Option('--split <name>', 'rows to use')
        .choices(splitNames.filter((name) => name !== 'train'))
        .default('test' as SplitName),
    )
    .option('--rows <n>', 'only the first n rows', wholeNumber)
    .option('--generate', 'generate answers as the papers do, besides scoring candidates')
    .option('--data <folder>', 'dataset folder, if it has moved')
    .option('--base <path>', 'base model, if it has moved')
    .option('--out <file>', 'write outcomes of every row as JSON')
    .option('--json', 'print one JSON document')
    .action(async ({ run: path, split, rows, generate, data, base, out, json }) => {
      const evaluations = await interruptible(async (signal) => {
        const run = await openRun(path, { ...(data && { data }), ...(base && { basePath: base }) });
        const instances = rowsOf(run.dataset, split as SplitName, rows);
        note(
          `${instances.length} rows of ${split}, ${instances[0]?.candidates.length} candidates each`,
        );
        const done: Evaluation[] = [];
        for (const recommender of [
          ...(await countBaselines(run.dataset, signal)),
          run.recommender,
        ]) {
          done.push(await evaluateShown(recommender, instances, signal));
        }
        if (generate) {
          if (!(run.recommender instanceof LlmRecommender)) {
            throw mismatch('usage', {
              where: '--generate',
              expected: 'a run of a language model',
              got: run.recommender.name,
            });
          }
          done.push(await generateShown(run.recommender, instances, signal));
        }
        return done;
      });
      const main = evaluations[2] as Evaluation;
      const comparisons = compareWithAll(main, evaluations.slice(0, 2));
      if (out !== undefined) writeFileSync(out, JSON.stringify(evaluations));
      if (json) {
        printJson({
          evaluations: evaluations.map(({ outcomes: _, ...rest }) => rest),
          comparisons,
        });
        return;
      }
      print(formatEvaluationTable(evaluations));
      for (const comparison of comparisons) {
        const [first, second] = comparison.methods;
        const { evidence, conclusion } = describeComparison({ first, second, comparison });
        print(`${conclusion} ${evidence}`);
      }
    }) as unknown as Command;
}

/** The first rows of a split, or all. */
export function rowsOf(
  dataset: Dataset,
  split: SplitName,
  count = Number.POSITIVE_INFINITY,
): Instance[] {
  return Array.from({ length: Math.min(count, dataset.rows(split)) }, (_, row) =>
    dataset.instance(split, row),
  );
}

/** Popularity and co-occurrence, the latter chosen on validation. */
export async function countBaselines(
  dataset: Dataset,
  signal?: AbortSignal,
): Promise<[Popularity, Recommender]> {
  const options = {
    catalogSize: dataset.catalog.size,
    sequences: [...dataset.sequencesOf('train')],
  };
  return [
    new Popularity(options),
    await chooseCooccurrence(options, rowsOf(dataset, 'validation'), signal),
  ];
}

/** Evaluates with a progress line. */
export async function evaluateShown(
  recommender: Recommender,
  instances: readonly Instance[],
  signal?: AbortSignal,
): Promise<Evaluation> {
  const progress = new Progress(`evaluate ${recommender.name}`, instances.length, 'rows');
  try {
    return await evaluate(recommender, instances, {
      onProgress: (done) => progress.update(done),
      ...(signal && { signal }),
    });
  } finally {
    progress.end();
  }
}

/** Generates an answer per row and matches it to titles. */
export async function generateShown(
  recommender: LlmRecommender,
  instances: readonly Instance[],
  signal?: AbortSignal,
): Promise<Evaluation> {
  const progress = new Progress(`generate ${recommender.name}`, instances.length, 'rows');
  const started = performance.now();
  const texts = await recommender.generate(instances, {
    onProgress: (done) => progress.update(done),
    ...(signal && { signal }),
  });
  progress.end();
  return evaluateGenerated({
    method: `${recommender.name} (generated)`,
    trainableParameters: recommender.trainableParameters,
    instances,
    texts,
    titleOf: (item) => recommender.parts.prompts.titleOf(item),
    seconds: (performance.now() - started) / 1000,
  });
}
