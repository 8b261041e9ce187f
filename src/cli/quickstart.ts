/**
 * `ilora quickstart`: the whole job on MovieLens-100K with SmolLM2-135M.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { describeComparison, formatDuration, formatEvaluationTable } from '../analysis/index.js';
import { prepareMovielens100k, pullMovielens100k, writeDataset } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { writeFileAtomic } from '../files/index.js';
import { runStudy, type StudyResult, studySettings } from '../studies/index.js';
import { engineEnvironment } from '../tensor/index.js';
import { readDocument } from '../training/index.js';
import { budgetOf, cutDown, type Keys, keptShare } from './budget.js';
import { cacheDir } from './cache.js';
import { productSpeed, TRIAL_SIZE } from './engine-report.js';
import { interruptible } from './interrupt.js';
import { command } from './invocation.js';
import { ensureModel } from './model.js';
import { note, print, printJson } from './terminal.js';
import { studyHooks } from './train-hooks.js';

const BASE = 'smollm2-135m';

/** That the machine is measured for. */
const PROBE_SECONDS = 0.5;
/** Recommendations of an example that are printed. */
const SHOWN = 5;
/** Rows of the test split in `--smoke`. */
const SMOKE_ROWS = 10;
const PRESETS = join(import.meta.dirname, '..', '..', 'presets');

export function quickstartCommand() {
  return new Command('quickstart')
    .description(
      'train and compare methods on MovieLens-100K, write a report; some minutes on 2 cores',
    )
    .option('--smoke', 'the same on a tiny budget, at most 3 minutes; its figures mean nothing')
    .option('--out <folder>', 'where runs and report go', 'ilora-quickstart')
    .option('--resume', 'go on with the quickstart in the folder')
    .option('--overwrite', 'begin anew, removing the quickstart in the folder')
    .option('--json', 'print one JSON document')
    .action(async ({ smoke, out, resume, overwrite, json }) => {
      const started = performance.now();
      const marker = prepareFolder(out, { resume, overwrite });
      const data = join(out, 'movielens-100k');
      const { path: basePath } = await ensureModel(BASE, note);
      await ensureMovielens(data);
      const preset = join(PRESETS, smoke ? 'quickstart-smoke.yaml' : 'quickstart.yaml');
      const settings = studySettings(
        { ...(smoke ? readDocument(preset) : planned(preset, marker)), data, out },
        preset,
      );
      const result = await interruptible((signal) =>
        runStudy(
          {
            title: smoke
              ? 'iLoRA on MovieLens-100K (smoke test: the figures mean nothing)'
              : 'iLoRA on MovieLens-100K, quickstart',
            settings,
            basePath,
            ...(smoke && { testRows: SMOKE_ROWS }),
            isChoosing: true,
            command: command('quickstart', ...(smoke ? ['--smoke'] : [])),
          },
          studyHooks(signal),
        ),
      );
      const seconds = (performance.now() - started) / 1000;
      if (json) printJson(asJson(result, seconds));
      else print(describe(result, seconds));
    });
}

/** The preset, cut down where this machine would need too long for all of it. */
function planned(preset: string, marker: string): Keys {
  const share = keptShare(marker, () => {
    const rate = productSpeed('float32', TRIAL_SIZE, { seconds: PROBE_SECONDS });
    const { seconds, share } = budgetOf(rate);
    note(
      `this machine: ${rate.toFixed(0)} GFLOP/s in products of matrices, so about ${formatDuration(seconds)} in all`,
    );
    return share;
  });
  if (share < 1) note(`${Math.round(100 * share)} % of the usual training of language models`);
  return cutDown(readDocument(preset), share);
}

/**
 * Makes the folder; an earlier quickstart in it is continued or removed only on request, other content never.
 * @returns path of the file that marks it
 */
function prepareFolder(
  out: string,
  { resume, overwrite }: { resume?: boolean; overwrite?: boolean },
): string {
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
  if (!existsSync(marker)) writeFileAtomic(marker, '{"format":"ilora-quickstart-1"}\n');
  return marker;
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
  { dataset, base, methods, sections, chosen, report }: StudyResult,
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
    methods: methods.map(({ variant, runs }, i) => {
      const { numRows, metrics, trainableParameters, ...rest } = sections[0]!.evaluations[i]!;
      return {
        name: variant.name,
        rows: numRows,
        hr_at_1: metrics.hr_at_1.value,
        hr_at_1_interval: [metrics.hr_at_1.low, metrics.hr_at_1.high],
        expected_hr_at_1: metrics.expected_hr_at_1?.value,
        valid_ratio: metrics.valid_ratio.value,
        ndcg_at_10: metrics.ndcg_at_10?.value,
        trainableParameters,
        seconds: rest.seconds + runs[0]!.trainSeconds,
      };
    }),
    ...(chosen && { chosen: chosen.variant.name }),
    report: resolve(report),
    seconds,
  };
}

function describe(
  { methods, sections, examples, chosen, report }: StudyResult,
  seconds: number,
): string {
  const { evaluations, comparisons } = sections[0]!;
  const lines = [formatEvaluationTable(evaluations), ''];
  const [first] = comparisons;
  if (first !== undefined) {
    const [main, other] = first.methods.map(
      (name) => methods.find(({ variant }) => variant.name === name)?.variant.label ?? name,
    ) as [string, string];
    const { evidence, conclusion } = describeComparison({
      first: main,
      second: other,
      comparison: first,
    });
    lines.push(`${conclusion} ${evidence}`, '');
  }
  for (const { user, history, candidates, gates } of examples) {
    lines.push(`user ${user}: ${history.map(({ title }) => title).join(' | ')}`);
    const ranked = [...candidates].sort((a, b) => b.score - a.score).slice(0, SHOWN);
    for (const [i, { title, score, isTarget }] of ranked.entries()) {
      lines.push(`  ${i + 1}. ${title}  (${score.toFixed(2)})${isTarget ? '  ← chosen next' : ''}`);
    }
    if (gates !== undefined)
      lines.push(`  expert weights: ${gates.map((weight) => weight.toFixed(3)).join(' ')}`);
    lines.push('');
  }
  const run = chosen?.runs[0]?.folder.path ?? '';
  const history = 'Toy Story; Aladdin; The Lion King';
  lines.push(
    `best on validation: ${chosen?.variant.label}, which the next command uses`,
    `report: ${report} (${formatDuration(seconds)} in all)`,
    `next: ${command('recommend', '--run', run, '--history', history)}`,
  );
  return lines.join('\n');
}
