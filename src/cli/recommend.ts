/**
 * `ilora recommend`: what a trained run says to a history typed in.
 */
import { readFileSync } from 'node:fs';
import { Command } from '@commander-js/extra-typings';
import { formatTable } from '../analysis/index.js';
import { type Catalog, type Item, TitleSearch } from '../data/index.js';
import { faults, mismatch } from '../errors/index.js';
import { fileError } from '../files/index.js';
import type { Retriever } from '../recommenders/index.js';
import { cutTitle } from '../text/index.js';
import { openRun, type Run } from '../training/index.js';
import { wholeNumber } from './arguments.js';
import { note, print, printJson } from './terminal.js';

/** A ranked list for one history. */
export interface Recommendation {
  history: Item[];
  ranked: { item: Item; score: number; probability: number }[];
  /** Weights of the experts for this history, for methods with a gate. */
  gates?: readonly number[];
}

export function recommendCommand() {
  return new Command('recommend')
    .description('recommend items for a history of titles')
    .requiredOption('--run <folder>', 'run folder made by `ilora train` or `ilora quickstart`')
    .requiredOption(
      '--history <titles>',
      'titles, oldest first, separated by ";" ("\\;" inside a title)',
    )
    .option('--candidates <file>', 'score the titles of this file, one per line')
    .option(
      '--retrieve <n>',
      'search the catalog for the n best items first, and score those',
      wholeNumber,
      20,
    )
    .option('--retriever <folder>', 'a run that searches, where --run is to rank what it finds')
    .option('--top <n>', 'how many recommendations to print', wholeNumber, 10)
    .option('--data <folder>', 'dataset folder, if it has moved')
    .option('--base <path>', 'base model, if it has moved')
    .option('--json', 'print one JSON document')
    .action(async (options) => {
      const { run: path, history: text, candidates: file, retrieve, retriever } = options;
      const { top, data, base, json } = options;
      if (file !== undefined && retriever !== undefined)
        throw mismatch('usage', {
          where: '--retriever',
          expected: 'a search without --candidates, which names the items itself',
          got: `both ${retriever} and ${file}`,
        });
      const places = { ...(data && { data }), ...(base && { basePath: base }) };
      const run = await openRun(path, places);
      const history = findTitles(run.dataset.catalog, splitTitles(text), '--history');
      const candidates =
        file === undefined
          ? await retrieved(await searcher(run, retriever, places), history, retrieve)
          : findTitles(run.dataset.catalog, readLines(file), file);
      const recommendation = await recommend(run, history, candidates);
      if (json) printJson(asJson(path, recommendation));
      else print(describe(run, recommendation, top));
    });
}

/** Scores candidates after a history. */
export async function recommend(
  run: Run,
  history: readonly Item[],
  candidates: readonly Item[],
): Promise<Recommendation> {
  const query = {
    history: history.map(({ id }) => id),
    candidates: candidates.map(({ id }) => id),
  };
  const [scored] = await run.recommender.score([query]);
  const scores = scored?.scores ?? [];
  const highest = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
  const ranked = candidates
    .map((item, i) => ({
      item,
      score: scores[i] as number,
      probability: Math.exp((scores[i] as number) - highest) / total,
    }))
    .sort((a, b) => b.score - a.score);
  return { history: [...history], ranked, ...(scored?.gates && { gates: scored.gates }) };
}

/** Titles between semicolons; a semicolon behind a backslash belongs to its title. */
function splitTitles(text: string): string[] {
  return text.split(/(?<!\\);/).map((title) => title.replaceAll('\\;', ';'));
}

/** Characters of a title on the terminal, so that one long title does not widen a whole table. */
const MAX_SHOWN = 100;

/** A title on the terminal. JSON documents have it in full. */
function shown({ title }: Item): string {
  return cutTitle(title, MAX_SHOWN);
}

/** Items by title. @throws IloraError `data` listing every title that is unknown or ambiguous, with what is near */
function findTitles(catalog: Catalog, titles: readonly string[], where: string): Item[] {
  const search = new TitleSearch(catalog.items);
  const lines: string[] = [];
  const found: Item[] = [];
  for (const title of titles.map((text) => text.trim()).filter((text) => text !== '')) {
    const { kind, items } = search.find(title);
    const named = items.map((item) => `"${cutTitle(item.sourceTitle, MAX_SHOWN)}"`).join(', ');
    if (kind === 'unknown')
      lines.push(`"${title}": no such title${named === '' ? '' : ` — nearest: ${named}`}`);
    else if (kind === 'ambiguous') lines.push(`"${title}": could be ${named}`);
    else {
      const item = items[0] as Item;
      if (kind === 'close') note(`"${title}" is taken for ${named}`);
      found.push(item);
    }
  }
  if (lines.length > 0) throw faults('data', where, lines);
  if (found.length === 0)
    throw mismatch('usage', { where, expected: 'at least one title', got: titles.join(';') });
  return found;
}

/** The run that searches: the one that ranks, or another over the same dataset. */
async function searcher(
  run: Run,
  retriever: string | undefined,
  places: { basePath?: string },
): Promise<Run> {
  if (retriever === undefined) return run;
  return openRun(retriever, { ...places, shared: { dataset: run.dataset } });
}

/** The best items of the run's own retriever, or of its encoder's. */
async function retrieved(run: Run, history: readonly Item[], count: number): Promise<Item[]> {
  const [found] = await retrieverOf(run).retrieve([
    { history: history.map(({ id }) => id), count },
  ]);
  return (found?.items ?? []).map((id) => run.dataset.catalog.items[id] as Item);
}

/** @throws IloraError `usage` if there is none */
function retrieverOf({ model, encoder, method }: Run): Retriever {
  const retriever = model.retriever ?? encoder?.model.retriever;
  if (retriever !== undefined) return retriever;
  throw mismatch('usage', {
    where: 'ilora recommend',
    expected: '--candidates FILE or --retriever RUN with this run, which cannot search the catalog',
    got: `a run of ${method.name} alone`,
  });
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch (error) {
    throw fileError(path, 'a file with one title per line', error);
  }
}

function asJson(run: string, { history, ranked, gates }: Recommendation): unknown {
  return {
    run,
    history: history.map(({ id, title }) => ({ item: id, title })),
    ranked: ranked.map(({ item, score, probability }, i) => ({
      place: i + 1,
      item: item.id,
      title: item.title,
      score,
      probability,
    })),
    ...(gates && { expertWeights: gates }),
  };
}

function describe(run: Run, { history, ranked, gates }: Recommendation, top: number): string {
  const table = formatTable(
    [
      { header: '#', align: 'right' },
      { header: 'title' },
      { header: 'score', align: 'right' },
      { header: 'share', align: 'right' },
    ],
    ranked
      .slice(0, top)
      .map(({ item, score, probability }, i) => [
        String(i + 1),
        shown(item),
        score.toFixed(2),
        `${(100 * probability).toFixed(1)} %`,
      ]),
  );
  const lines = [`history: ${history.map(shown).join(' | ')}`, '', table];
  if (gates !== undefined) {
    lines.push('', `expert weights for this history (${run.recommender.name}):`);
    for (const [e, weight] of gates.entries())
      lines.push(`  expert ${e + 1}  ${weight.toFixed(3)}  ${'█'.repeat(Math.round(weight * 40))}`);
  }
  return lines.join('\n');
}
