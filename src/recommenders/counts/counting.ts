/**
 * What recommenders that are counted or solved share: checked items, stops between queries, the best of a row of scores.
 */
import type { CandidateQuery, RetrievalQuery } from '../../data/index.js';
import { faults } from '../../errors/index.js';
import type { Tensor } from '../../tensor/index.js';
import { bestItems } from '../best-of.js';
import type { Recommender, Retrieved, Retriever, Scored, WorkOptions } from '../capability.js';
import { checkedItem } from '../sequence/encoder.js';
import { turn } from '../turn.js';

/** What counting needs of a dataset. */
export interface CountOptions {
  /** N */
  catalogSize: number;
  /** Training sequences only, oldest item first. */
  sequences: readonly { items: Int32Array }[];
}

/** Queries between two turns of the event loop. */
const BATCH = 64;

/** Scores and retrieves by a function of history and item. */
export abstract class Counting implements Recommender, Retriever {
  abstract readonly name: string;
  constructor(readonly catalogSize: number) {}

  /** None where all is counted. */
  get trainableParameters(): number {
    return 0;
  }

  /** The score of each item after a history; both are checked. */
  protected abstract scores(history: readonly number[], items: readonly number[]): number[];

  async score(queries: readonly CandidateQuery[], options: WorkOptions = {}): Promise<Scored[]> {
    return this.#each(queries, options, ({ history, candidates }) => ({
      scores: this.scores(
        this.#checked(history, 'history'),
        this.#checked(candidates, 'candidates'),
      ),
    }));
  }

  async retrieve(
    queries: readonly RetrievalQuery[],
    options: WorkOptions = {},
  ): Promise<Retrieved[]> {
    const catalog = Array.from({ length: this.catalogSize }, (_, item) => item);
    return this.#each(queries, options, (query) =>
      bestItems(this.scores(this.#checked(query.history, 'history'), catalog), query),
    );
  }

  async #each<Q, R>(
    queries: readonly Q[],
    { onProgress, signal }: WorkOptions,
    answer: (query: Q) => R,
  ): Promise<R[]> {
    const answers: R[] = [];
    for (const query of queries) {
      if (answers.length % BATCH === 0) await turn(signal);
      answers.push(answer(query));
      onProgress?.(answers.length);
    }
    return answers;
  }

  #checked(items: readonly number[], what: string): readonly number[] {
    for (const item of items) checkedItem(item, this.catalogSize, `${this.name}: ${what}`);
    return items;
  }
}

/** Number of elements per axis; undefined for any number. A number alone is that of the only axis. */
type Lengths = number | undefined | readonly (number | undefined)[];

/**
 * Numbers of saved tensors by key, row after row.
 * @param lengths how many each must hold
 * @throws IloraError `format` listing every tensor that misfits
 */
export function savedNumbers<K extends string>(
  saved: ReadonlyMap<string, Tensor>,
  lengths: Record<K, Lengths>,
  where: string,
): Record<K, number[]> {
  const lines: string[] = [];
  const numbers = {} as Record<K, number[]>;
  for (const [key, length] of Object.entries(lengths) as [K, Lengths][]) {
    const wanted = Array.isArray(length) ? length : [length];
    const tensor = saved.get(key);
    const fits =
      tensor?.shape.length === wanted.length &&
      wanted.every((own, axis) => own === undefined || own === tensor.shape[axis]);
    if (tensor === undefined) lines.push(`${key}: expected a tensor, got nothing`);
    else if (fits) numbers[key] = tensor.toNumbers();
    else {
      const shape = wanted.map((own) => own ?? 'n').join(', ');
      lines.push(`${key}: expected shape [${shape}], got [${tensor.shape.join(', ')}]`);
    }
  }
  for (const key of saved.keys())
    if (!(key in lengths)) lines.push(`${key}: expected no such tensor`);
  if (lines.length > 0) throw faults('format', where, lines);
  return numbers;
}
