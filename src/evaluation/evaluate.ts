/**
 * The one evaluator, for validation and test alike: rows in, outcomes and metrics with intervals out.
 *
 * It sees the `Recommender` interface, or generated texts, and no class behind them. Every row is
 * counted; candidates come frozen with the instances.
 */
import type { Instance, Protocol } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import type { Capabilities, Recommender, Scored } from '../recommenders/index.js';
import type { BootstrapOptions } from './interval.js';
import { MATCHERS, type MatcherName } from './match.js';
import { type MetricName, type Metrics, measure } from './metric.js';
import { type Outcome, outcomeOf, targetColumn } from './outcome.js';

/** One method on one set of rows. Plain data: it can be written as JSON and read back. */
export interface Evaluation {
  method: string;
  mode: 'scoring' | 'generation';
  /** Figures of different protocols are never compared. */
  protocol: Protocol;
  /** N, where the whole catalog was scored. */
  catalogSize?: number;
  /** What was no answer because the user had it before; in `history`. */
  filter?: Filtered;
  /** The rule from text to candidate; generation only. */
  matcher?: MatcherName;
  trainableParameters: number;
  numRows: number;
  numUsers: number;
  /** Rows in which another candidate had exactly the target's score (counted as missed); of several runs, the most. */
  numTiedRows: number;
  /** Time the method took to answer: for the whole catalog, where that was scored. */
  seconds: number;
  metrics: Metrics;
  /** How many runs of other seeds the figures are means of, where they are several. */
  runs?: number;
  /** Standard deviation of the runs' values, where there are several runs. */
  spread?: Partial<Record<MetricName, number>>;
  /** Of several runs: those of the first. */
  outcomes: Outcome[];
}

/** An evaluation but for what follows from its outcomes. */
export type EvaluationHead = Pick<
  Evaluation,
  | 'method'
  | 'mode'
  | 'protocol'
  | 'catalogSize'
  | 'filter'
  | 'matcher'
  | 'trainableParameters'
  | 'seconds'
>;

/** What the filter of the protocol `history` took out. */
export interface Filtered {
  /** Candidates other than targets. */
  candidates: number;
  /** Their share of all candidates other than targets. */
  share: number;
  /** Repeats: targets that the user had before. They count as missed. */
  targets: number;
}

export interface EvaluateOptions {
  /** That of the instances, which is `window` where they say nothing. */
  protocol?: Protocol;
  /** Of the bootstrap; 0 unless said. */
  seed?: number;
  /** Of the bootstrap. */
  resamples?: number;
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Texts that a method generated for the instances, row by row. */
export interface GeneratedTexts {
  method: string;
  trainableParameters: number;
  instances: readonly Instance[];
  /** Text i answers instance i. */
  texts: readonly string[];
  /** Title of an item as the prompt showed it. */
  titleOf: (item: number) => string;
  /** Time taken to generate. */
  seconds: number;
}

/** What `evaluate` takes beside. */
export interface ScoringOptions extends EvaluateOptions {
  /**
   * N. Given, every row's whole catalog is scored, for expectations over candidate draws and for the target's place
   * in the catalog. The candidates' scores come from the same pass, so the method must score an item alike whatever
   * stands beside it.
   */
  catalogSize?: number;
}

/** Items of a catalog that is scored in every row unless that is asked for or forbidden. */
export const CATALOG_LIMIT = 50_000;

/** What to pass as `catalogSize` where nobody says: all items, if the method scores them at once and they are not too many. */
export function affordableCatalog(
  { retriever }: Partial<Capabilities>,
  catalogSize: number,
): number | undefined {
  return retriever !== undefined && catalogSize <= CATALOG_LIMIT ? catalogSize : undefined;
}

/** Scores of catalogs that are held at once: 32 MiB of numbers. */
const SCORES_AT_ONCE = 1 << 22;

/**
 * Scores the candidates of every instance and measures where the targets land.
 *
 * @throws IloraError (`data`) on no instances, on a row that occurs twice, on instances of several protocols, or on
 *   scores that do not fit the candidates
 */
export async function evaluate(
  recommender: Recommender,
  instances: readonly Instance[],
  options: ScoringOptions = {},
): Promise<Evaluation> {
  const { catalogSize } = options;
  checkInstances(instances);
  const protocol = protocolOf(instances, options);
  const start = performance.now();
  const outcomes: Outcome[] = [];
  let seconds = 0;
  for (const part of partsOf(instances, catalogSize)) {
    const scored = await scoresOf(recommender, part, { ...options, done: outcomes.length });
    seconds = (performance.now() - start) / 1000;
    for (const [index, instance] of part.entries())
      outcomes.push(outcomeIn(instance, scored[index]!, { protocol, catalogSize }));
  }
  return summarise(outcomes, options, {
    method: recommender.name,
    mode: 'scoring',
    protocol,
    ...(catalogSize !== undefined && { catalogSize }),
    ...(protocol === 'history' && { filter: filteredFrom(instances) }),
    trainableParameters: recommender.trainableParameters,
    seconds,
  });
}

/** Rows that are scored together: all, or as many as leave room for their catalogs. */
function* partsOf(
  instances: readonly Instance[],
  catalogSize: number | undefined,
): Generator<readonly Instance[]> {
  const size =
    catalogSize === undefined
      ? instances.length
      : Math.max(1, Math.floor(SCORES_AT_ONCE / catalogSize));
  for (let first = 0; first < instances.length; first += size)
    yield instances.slice(first, first + size);
}

async function scoresOf(
  recommender: Recommender,
  instances: readonly Instance[],
  { catalogSize, onProgress, signal, done }: ScoringOptions & { done: number },
): Promise<Scored[]> {
  const catalog =
    catalogSize === undefined ? undefined : Array.from({ length: catalogSize }, (_, item) => item);
  const queries =
    catalog === undefined
      ? instances
      : instances.map((instance) => ({ ...instance, candidates: catalog }));
  const scored = await recommender.score(queries, {
    ...(onProgress && { onProgress: (more) => onProgress(done + more) }),
    ...(signal && { signal }),
  });
  if (scored.length !== instances.length)
    throw mismatch('data', {
      where: `${recommender.name}.score`,
      expected: `${instances.length} lists of scores, one per instance`,
      got: scored.length,
    });
  return scored;
}

/** The outcome of a row from the scores of its candidates, or from those of the catalog. */
function outcomeIn(
  instance: Instance,
  scored: Scored,
  { protocol, catalogSize }: { protocol: Protocol; catalogSize: number | undefined },
): Outcome {
  if (catalogSize === undefined) return outcomeOf(instance, scored, { protocol });
  const { scores: catalogScores, ...rest } = scored;
  if (catalogScores.length !== catalogSize)
    throw mismatch('data', {
      where: `row ${instance.row}`,
      expected: `${catalogSize} scores, one per item`,
      got: catalogScores.length,
    });
  const scores = instance.candidates.map((item) => catalogScores[item]!);
  return outcomeOf(instance, { ...rest, scores }, { protocol, catalogScores });
}

/**
 * Measures generated texts: HR@1 over all rows, over valid rows, and ValidRatio. There is no ranking.
 *
 * @param matcher  `title`, or `published` for the rule of the papers
 */
export function evaluateGenerated(
  { method, trainableParameters, instances, texts, titleOf, seconds }: GeneratedTexts,
  { matcher = 'title', ...options }: EvaluateOptions & { matcher?: MatcherName } = {},
): Evaluation {
  checkInstances(instances);
  if (texts.length !== instances.length)
    throw mismatch('data', {
      where: `${method}: generated texts`,
      expected: `${instances.length}, one per instance`,
      got: texts.length,
    });
  const protocol = protocolOf(instances, options);
  const outcomes = instances.map((instance, index): Outcome => {
    targetColumn(instance);
    const { row, user, target, candidates } = instance;
    const text = texts[index]!;
    const named = MATCHERS[matcher](text, candidates.map(titleOf));
    const answer = named === undefined ? undefined : candidates[named];
    return { row, user, target, candidates, answer, hit: answer === target, text };
  });
  return summarise(outcomes, options, {
    method,
    mode: 'generation',
    protocol,
    matcher,
    trainableParameters,
    seconds,
  });
}

/** The same evaluation on some of its rows, in their order; nothing is scored again. */
export function restrict(
  { outcomes, ...whole }: Evaluation,
  instances: readonly Instance[],
  options: EvaluateOptions = {},
): Evaluation {
  checkInstances(instances);
  const byRow = new Map(outcomes.map((outcome) => [outcome.row, outcome]));
  const kept = instances.map(({ row, user }) => {
    const outcome = byRow.get(row);
    if (outcome?.user === user) return outcome;
    throw mismatch('data', {
      where: `restrict(${whole.method})`,
      expected: `an outcome of row ${row}, user ${user}`,
      got: outcome?.user,
    });
  });
  return summarise(kept, options, {
    ...whole,
    ...(whole.filter && { filter: filteredFrom(instances) }),
    seconds: (whole.seconds * kept.length) / whole.numRows,
  });
}

/** An evaluation from the outcomes of its rows. */
export function summarise(
  outcomes: Outcome[],
  { seed = 0, resamples = 2000 }: EvaluateOptions,
  head: EvaluationHead,
): Evaluation {
  const bootstrap: BootstrapOptions = { seed, resamples };
  return {
    ...head,
    numRows: outcomes.length,
    numUsers: new Set(outcomes.map(({ user }) => user)).size,
    numTiedRows: outcomes.filter(({ numTied }) => (numTied ?? 0) > 0).length,
    metrics: measure(outcomes, bootstrap),
    outcomes,
  };
}

function filteredFrom(instances: readonly Instance[]): Filtered {
  const filtered = { candidates: 0, targets: 0 };
  let negatives = 0;
  for (const { history, candidates, target } of instances) {
    const had = new Set(history);
    for (const item of candidates)
      if (had.has(item)) filtered[item === target ? 'targets' : 'candidates']++;
    negatives += candidates.length - 1;
  }
  return { ...filtered, share: filtered.candidates / negatives };
}

/** @throws IloraError `data` where instances are of another protocol than the first, or than what was asked for */
function protocolOf(
  instances: readonly Instance[],
  { protocol = instances[0]?.protocol ?? 'window' }: EvaluateOptions,
): Protocol {
  const other = instances.find((instance) => (instance.protocol ?? protocol) !== protocol);
  if (other === undefined) return protocol;
  throw mismatch('data', {
    where: `row ${other.row}`,
    expected: `an instance of the protocol ${protocol}`,
    got: other.protocol,
  });
}

function checkInstances(instances: readonly Instance[]): void {
  const where = 'evaluate(instances)';
  if (instances.length === 0)
    throw mismatch('data', { where, expected: 'at least one instance', got: 0 });
  const rows = new Set<number>();
  for (const { row } of instances) {
    if (rows.has(row))
      throw mismatch('data', { where, expected: 'every row once', got: `row ${row} twice` });
    rows.add(row);
  }
}
