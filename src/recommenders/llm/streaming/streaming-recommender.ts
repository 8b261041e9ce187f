/**
 * ★ Streaming iLoRA as a recommender: a history read item by item → scores of the whole catalog.
 */
import type { CandidateQuery, RetrievalQuery } from '../../../data/index.js';
import { mismatch } from '../../../errors/index.js';
import { noGrad, scope } from '../../../tensor/index.js';
import { bestOf } from '../../best-of.js';
import type { Recommender, Retrieved, Retriever, Scored, WorkOptions } from '../../capability.js';
import { checkedItem } from '../../sequence/encoder.js';
import { turn } from '../../turn.js';
import { cutCheaply } from '../layout.js';
import { type StreamTask, scoreItems } from '../objectives/next-item.js';
import type { LlmParts } from '../parts.js';
import { readFrom } from './reading.js';
import type { StreamMemory } from './stream-memory.js';
import { StreamingModel } from './streaming-model.js';

export class StreamingRecommender implements Recommender, Retriever {
  readonly model: StreamingModel;
  readonly trainableParameters: number;

  constructor(readonly parts: LlmParts) {
    this.model = new StreamingModel(parts);
    this.trainableParameters = this.model.parts.adapter.trainableParameters;
  }

  get name(): string {
    return this.parts.name;
  }

  async score(queries: readonly CandidateQuery[], options?: WorkOptions): Promise<Scored[]> {
    for (const { candidates } of queries) this.#check(candidates, 'candidates');
    return this.#inBatches(queries, options, (batch) => {
      const candidates = batch.map((query) => query.candidates);
      return scoreItems(this.model, { histories: this.#read(batch), candidates });
    });
  }

  async retrieve(queries: readonly RetrievalQuery[], options?: WorkOptions): Promise<Retrieved[]> {
    return this.#inBatches(queries, options, (batch) => {
      const { states_XS } = this.model.states(this.#read(batch), 'last');
      return bestOf(this.model.logits(states_XS), batch);
    });
  }

  /**
   * `retrieve` of a user who may have been here before: items that `memory` knows are not read again, and the memory
   * is of this history afterwards.
   * @returns the best items, and how many items were known
   */
  retrieveReturning(
    query: RetrievalQuery,
    memory: StreamMemory,
  ): Retrieved & { knownItems: number } {
    const [read] = this.#read([query]) as [readonly number[]];
    return noGrad(() =>
      scope(() => {
        const knownItems = memory.known(read);
        const recalled = memory.recall(knownItems);
        const { states_XS } = this.model.states([read], 'last', { memory: recalled });
        memory.remember(recalled.cache, read);
        const [found] = bestOf(this.model.logits(states_XS), [query]) as [Retrieved];
        return { ...found, knownItems };
      }),
    );
  }

  /** The part of each history that is read. @throws IloraError `data` */
  #read(queries: readonly { history: readonly number[] }[]): StreamTask['histories'] {
    const { reading } = this.model.parts;
    return queries.map(({ history }) => {
      if (history.length === 0)
        throw mismatch('data', {
          where: `${this.name}: history`,
          expected: 'at least one item',
          got: [],
        });
      this.#check(history, 'history');
      return history.slice(readFrom(history.length, reading));
    });
  }

  #check(items: readonly number[], what: string): void {
    for (const item of items) checkedItem(item, this.model.catalogSize, `${this.name}: ${what}`);
  }

  /** Batches of histories of like length, with a turn of the event loop between them. */
  async #inBatches<Q extends { history: readonly number[] }, R>(
    queries: readonly Q[],
    { onProgress, signal }: WorkOptions = {},
    work: (batch: readonly Q[]) => R[],
  ): Promise<R[]> {
    const { maxHistory } = this.model.parts.reading;
    const length = ({ history }: Q): number =>
      this.model.positionsOf(Math.min(history.length, maxHistory));
    const results = new Array<R>(queries.length);
    let done = 0;
    const tokens = 2 * this.parts.batchTokens; // nothing is kept for gradients
    for (const batch of cutCheaply(queries.map(length), { tokens })) {
      await turn(signal);
      const found = noGrad(() => scope(() => work(batch.map((i) => queries[i] as Q))));
      for (const [k, i] of batch.entries()) results[i] = found[k] as R;
      done += batch.length;
      onProgress?.(done);
    }
    return results;
  }
}
