/**
 * Ranks candidates by SASRec's scores, and retrieves candidates from the whole catalog.
 */
import type { Instance } from '../../data/index.js';
import { gather, noGrad, scope, Tensor, toDevice, topk } from '../../tensor/index.js';
import type { Ranking, RankOptions, Recommender } from '../recommender.js';
import { turn } from '../turn.js';
import type { SASRec } from './sasrec.js';

const BATCH = 256;

export class SASRecRecommender implements Recommender {
  readonly name = 'sasrec';

  constructor(readonly model: SASRec) {}

  get trainableParameters(): number {
    return [...this.model.namedTensors()].reduce((count, [, tensor]) => count + tensor.size, 0);
  }

  async rank(
    instances: readonly Instance[],
    { onProgress, signal }: RankOptions = {},
  ): Promise<Ranking[]> {
    const rankings: Ranking[] = [];
    for (let start = 0; start < instances.length; start += BATCH) {
      await turn(signal);
      const batch = instances.slice(start, start + BATCH);
      rankings.push(...this.#rankBatch(batch));
      onProgress?.(rankings.length);
    }
    return rankings;
  }

  #rankBatch(batch: readonly Instance[]): Ranking[] {
    return noGrad(() =>
      scope(() => {
        const C = Math.max(...batch.map((instance) => instance.candidates.length));
        const ids = new BigInt64Array(batch.length * C);
        for (const [b, { candidates }] of batch.entries()) {
          for (const [c, item] of candidates.entries()) ids[b * C + c] = BigInt(item);
        }
        const logits_BN = this.model.logits(
          this.model.represent(batch.map((instance) => instance.history)),
        );
        const scores_BC = gather(
          logits_BN,
          1,
          toDevice(Tensor.from(ids, [batch.length, C]), this.model.device),
        ).toNumbers();
        return batch.map(({ candidates }, b) => ({
          scores: scores_BC.slice(b * C, b * C + candidates.length),
        }));
      }),
    );
  }

  /** The items with the best scores after a history, best first, without the history's own. */
  retrieve(history: readonly number[], count: number): number[] {
    return noGrad(() =>
      scope(() => {
        const logits_1N = this.model.logits(this.model.represent([history]));
        const k = Math.min(this.model.options.catalogSize, count + history.length);
        const seen = new Set(history);
        return topk(logits_1N, k)
          .indices.toNumbers()
          .filter((item) => !seen.has(item))
          .slice(0, count);
      }),
    );
  }
}
