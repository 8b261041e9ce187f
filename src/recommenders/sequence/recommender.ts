/**
 * Scores candidates by a sequence model's logits, and finds the best items of the whole catalog.
 */
import type { CandidateQuery, RetrievalQuery } from '../../data/index.js';
import { gather, noGrad, scope, Tensor, toDevice } from '../../tensor/index.js';
import { bestOf } from '../best-of.js';
import type { Recommender, Retrieved, Retriever, Scored, WorkOptions } from '../capability.js';
import { turn } from '../turn.js';
import { checkedItem, type SequenceEncoder } from './encoder.js';

const BATCH = 256;

export class SequenceRecommender implements Recommender, Retriever {
  constructor(readonly model: SequenceEncoder) {}

  get name(): string {
    return this.model.method;
  }

  get trainableParameters(): number {
    return [...this.model.namedTensors()].reduce((count, [, tensor]) => count + tensor.size, 0);
  }

  score(queries: readonly CandidateQuery[], options?: WorkOptions): Promise<Scored[]> {
    return inBatches(queries, (batch) => this.#scoreBatch(batch), options);
  }

  retrieve(queries: readonly RetrievalQuery[], options?: WorkOptions): Promise<Retrieved[]> {
    return inBatches(queries, (batch) => batch.map((query) => this.best(query)), options);
  }

  #scoreBatch(batch: readonly CandidateQuery[]): Scored[] {
    const { model } = this;
    const { catalogSize } = model.options;
    return noGrad(() =>
      scope(() => {
        const C = Math.max(...batch.map((query) => query.candidates.length));
        const ids = new BigInt64Array(batch.length * C);
        for (const [b, { candidates }] of batch.entries()) {
          for (const [c, item] of candidates.entries())
            ids[b * C + c] = BigInt(checkedItem(item, catalogSize, `${this.name}: candidates`));
        }
        const logits_BN = model.logits(model.represent(batch.map((query) => query.history)));
        const scores_BC = gather(
          logits_BN,
          1,
          toDevice(Tensor.from(ids, [batch.length, C]), model.device),
        ).toNumbers();
        return batch.map(({ candidates }, b) => ({
          scores: scores_BC.slice(b * C, b * C + candidates.length),
        }));
      }),
    );
  }

  /** `retrieve` of one query, at once. */
  best(query: RetrievalQuery): Retrieved {
    return noGrad(() =>
      scope(() => {
        const logits_1N = this.model.logits(this.model.represent([query.history]));
        return bestOf(logits_1N, [query])[0] as Retrieved;
      }),
    );
  }
}

/** Work on batches of queries, with a turn of the event loop between them. */
async function inBatches<Q, R>(
  queries: readonly Q[],
  work: (batch: readonly Q[]) => R[],
  { onProgress, signal }: WorkOptions = {},
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < queries.length; start += BATCH) {
    await turn(signal);
    results.push(...work(queries.slice(start, start + BATCH)));
    onProgress?.(results.length);
  }
  return results;
}
