/**
 * `ilora quickstart`: the whole job on MovieLens-100K with SmolLM2-135M.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { describeComparison, formatDuration, formatEvaluationTable } from '../analysis/index.js';
import { prepareMovielens100k, pullMovielens100k, writeDataset } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import type { Evaluation } from '../evaluation/index.js';
import { engineEnvironment } from '../tensor/index.js';
import { resolveSettings, type Settings } from '../training/index.js';
import { cacheDir } from './cache.js';
import { type ExperimentResult, METHODS, runExperiment } from './experiment.js';
import { interruptible } from './interrupt.js';
import { ensureModel } from './model.js';
import { note, print, printJson } from './terminal.js';

const BASE = 'smollm2-135m';

/** What a first look is worth waiting for, and what a test is. */
const BUDGETS = {
  full: {
    windows: 160,
    batchSize: 8,
    validateEvery: 80,
    validationRows: 16,
    epochs: 30,
    testRows: undefined,
  },
  smoke: { windows: 8, batchSize: 4, validateEvery: 8, validationRows: 2, epochs: 3, testRows: 10 },
} as const;

export function quickstartCommand(): Command {
  return new Command('quickstart')
    .description('MovieLens-100K and SmolLM2-135M: train, compare, report; some minutes on 2 cores')
    .option('--smoke', 'the same on a tiny budget, at most 3 minutes; its figures mean nothing')
    .option('--out <folder>', 'where runs and report go', 'ilora-quickstart')
    .option('--resume', 'go on with the quickstart in the folder')
    .option('--overwrite', 'begin anew, removing the quickstart in the folder')
    .option('--json', 'print one JSON document')
    .action(async ({ smoke, out, resume, overwrite, json }) => {
      const started = performance.now();
      prepareFolder(out, { resume, overwrite });
      const data = join(out, 'movielens-100k');
      const { path: basePath } = await ensureModel(BASE, note);
      await ensureMovielens(data);
      const budget = BUDGETS[smoke ? 'smoke' : 'full'];
      const command = `ilora quickstart${smoke ? ' --smoke' : ''}`;
      const result = await interruptible((signal) =>
        runExperiment(
          {
            title: smoke
              ? 'iLoRA on MovieLens-100K (smoke test: the figures mean nothing)'
              : 'iLoRA on MovieLens-100K, quickstart',
            out,
            basePath,
            baseName: BASE,
            settings: quickstartSettings(data, out, budget),
            testRows: budget.testRows,
            command,
          },
          signal,
        ),
      );
      const seconds = (performance.now() - started) / 1000;
      if (json) printJson(asJson(result, seconds));
      else print(describe(result, seconds, out));
    }) as unknown as Command;
}

/** Settings tuned for a tiny budget; presets/ holds those of longer runs. */
function quickstartSettings(
  data: string,
  out: string,
  budget: (typeof BUDGETS)[keyof typeof BUDGETS],
): Settings {
  const { windows, batchSize, validateEvery, validationRows, epochs } = budget;
  return resolveSettings(
    {
      method: 'ilora',
      data,
      out,
      base: BASE,
      domain: 'movie',
      sasrec: { epochs },
      adapter: { learningRate: 1e-3 },
      training: { windows, batchSize, validateEvery, validationRows },
    },
    'quickstart',
  );
}

/** Makes the folder; an earlier quickstart in it is continued or removed only on request, other content never. */
function prepareFolder(
  out: string,
  { resume, overwrite }: { resume?: boolean; overwrite?: boolean },
): void {
  const marker = join(out, 'quickstart.json');
  if (existsSync(marker)) {
    if (overwrite) rmSync(out, { recursive: true });
    else if (!resume) {
      throw mismatch('usage', {
        where: out,
        expected: 'a new folder',
        got: 'one with a quickstart',
        hint: 'add --resume to go on with it, --overwrite to begin anew, or --out for another folder',
      });
    }
  } else if (existsSync(out) && readdirSync(out).length > 0) {
    throw mismatch('usage', {
      where: out,
      expected: 'a new or empty folder',
      got: 'one with other files',
      hint: 'choose another --out',
    });
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(marker, '{"format":"ilora-quickstart-1"}\n');
}

async function ensureMovielens(folder: string): Promise<void> {
  if (existsSync(join(folder, 'manifest.json'))) return;
  const movielens = await pullMovielens100k({
    cacheDir: cacheDir(),
    python: engineEnvironment().python,
    onProgress: ({ text, bytes }) =>
      note(bytes === undefined ? text : `${text} (${(bytes / 1e6).toFixed(1)} MB)`),
  });
  const manifest = await writeDataset(folder, prepareMovielens100k(movielens, 'published'));
  note(`data: ${manifest.name}, ${manifest.licence}`);
}

function asJson(
  { dataset, base, evaluations, trainSeconds, report }: ExperimentResult,
  seconds: number,
): unknown {
  const rows = {
    train: dataset.rows('train'),
    validation: dataset.rows('validation'),
    test: dataset.rows('test'),
  };
  return {
    dataset: { name: dataset.manifest.name, rows },
    base,
    methods: METHODS.map((name) => {
      const {
        numRows,
        metrics,
        trainableParameters,
        seconds: answering,
      } = evaluations[name] as Evaluation;
      return {
        name,
        rows: numRows,
        hr_at_1: metrics.hr1?.value,
        hr_at_1_interval: [metrics.hr1?.low, metrics.hr1?.high],
        valid_ratio: metrics.validRatio?.value,
        ndcg_at_10: metrics.ndcg10?.value,
        trainable_parameters: trainableParameters,
        seconds: answering + (trainSeconds[name] ?? 0),
      };
    }),
    report: resolve(report),
    seconds,
  };
}

function describe(
  { evaluations, comparisons, examples, report }: ExperimentResult,
  seconds: number,
  out: string,
): string {
  const lines = [formatEvaluationTable(METHODS.map((name) => evaluations[name])), ''];
  const [first] = comparisons;
  if (first !== undefined) {
    const { evidence, conclusion } = describeComparison({
      first: 'iLoRA',
      second: 'LoRA',
      comparison: first,
    });
    lines.push(`${conclusion} ${evidence}`, '');
  }
  for (const { user, history, candidates, gates } of examples) {
    lines.push(`user ${user}: ${history.join(' | ')}`);
    const ranked = [...candidates].sort((a, b) => b.score - a.score).slice(0, 3);
    for (const [i, { title, score, isTarget }] of ranked.entries()) {
      lines.push(`  ${i + 1}. ${title}  (${score.toFixed(2)})${isTarget ? '  ← chosen next' : ''}`);
    }
    if (gates !== undefined)
      lines.push(`  expert weights: ${gates.map((weight) => weight.toFixed(3)).join(' ')}`);
    lines.push('');
  }
  lines.push(
    `report: ${report} (${formatDuration(seconds)} in all)`,
    `next: ilora recommend --run ${join(out, 'ilora')} --history "Toy Story; Aladdin; The Lion King"`,
  );
  return lines.join('\n');
}
