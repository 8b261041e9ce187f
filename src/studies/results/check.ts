/**
 * Reckons committed results again, and holds the figures that stand in files and docs against what the rows give.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { IloraError, mismatch } from '../../errors/index.js';
import { readText, writeFileAtomic } from '../../files/index.js';
import { type ResultFigures, type Results, readResults, resultsText } from './document.js';
import { figuresOf } from './figures.js';
import { withTables } from './tables.js';

/** What the rows of all results give, and what differs from it. */
export interface CheckedResults extends ResultFigures {
  /** Figures and tables that are not what the rows give, one line each. */
  problems: string[];
}

/** Where results and docs lie. */
export interface ResultPlaces {
  /** Folder of result files. */
  results: string;
  /** Markdown files that may hold tables of them. */
  docs: readonly string[];
}

/**
 * All figures, from the rows alone.
 *
 * @throws IloraError `file` where there are no results; `format` for one that is damaged
 */
export function checkResults({ results, docs }: ResultPlaces): CheckedResults {
  const files = resultFiles(results).map((path) => ({ path, ...opened(path) }));
  const figures = new Map(files.map(({ name, figures }) => [name, figures]));
  const stale = files.flatMap(({ path, results, figures }) =>
    results.figures === undefined ? [] : differences(results.figures, figures, path),
  );
  const inDocs = docs.flatMap((path) => {
    const text = readText(path);
    try {
      return withTables(text, figures, path) === text
        ? []
        : [`${path}: its tables of results are others than the rows give`];
    } catch (error) {
      if (error instanceof IloraError) return [error.message];
      throw error;
    }
  });
  return {
    methods: files.flatMap((file) => file.figures.methods),
    comparisons: files.flatMap((file) => file.figures.comparisons),
    problems: [...stale, ...inDocs],
  };
}

/** Writes the figures into the results and their tables into the docs. @returns files that were changed */
export function writeFigures({ results, docs }: ResultPlaces): string[] {
  const files = resultFiles(results).map((path) => ({ path, ...opened(path) }));
  const figures = new Map(files.map(({ name, figures }) => [name, figures]));
  const texts = [
    ...files.map(({ path, results, figures }) => [path, resultsText({ ...results, figures })]),
    ...docs.map((path) => [path, withTables(readText(path), figures, path)]),
  ] as [string, string][];
  const changed = texts.filter(([path, text]) => readText(path) !== text);
  for (const [path, text] of changed) writeFileAtomic(path, text);
  return changed.map(([path]) => path);
}

function opened(path: string): { name: string; results: Results; figures: ResultFigures } {
  const name = basename(path, '.json');
  const results = readResults(path);
  return { name, results, figures: figuresOf(results, name) };
}

function resultFiles(folder: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter((file) => file.endsWith('.json'));
  } catch {
    // Said below: there is nothing to reckon from.
  }
  if (names.length > 0) return names.sort().map((file) => join(folder, file));
  throw mismatch('file', {
    where: folder,
    expected: 'files that `ilora study --result` wrote',
    got: 'none',
  });
}

/** Two reckonings may differ by the rounding of another processor, not by more. */
const TOLERANCE = 1e-9;

/** Where two documents differ, one line each. */
function differences(stored: unknown, given: unknown, at: string): string[] {
  if (typeof stored === 'number' && typeof given === 'number')
    return Math.abs(stored - given) <= TOLERANCE ? [] : [line(at, stored, given)];
  const areObjects = [stored, given].every((one) => typeof one === 'object' && one !== null);
  if (!areObjects) return stored === given ? [] : [line(at, stored, given)];
  const [one, other] = [stored, given] as [Record<string, unknown>, Record<string, unknown>];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(one[key], other[key], `${at}: ${key}`));
}

const line = (at: string, stored: unknown, given: unknown): string =>
  `${at}: expected ${given}, which the rows give, got ${stored}`;
