/**
 * ★ A blend: the weighted sum of other models' scores, each standardised within the query.
 *
 * score(i) = Σ_m w_m · (s_m(i) − mean_m) / deviation_m
 *
 * Mean and deviation are over all items outside the query's history. The weights come from a conditional logit over the
 * whole catalog (`logit.ts`), so up to a constant a score is a log-probability.
 */
import type { CandidateQuery, RetrievalQuery } from '../../data/index.js';
import { faults } from '../../errors/index.js';
import { Tensor } from '../../tensor/index.js';
import { bestItems } from '../best-of.js';
import type { Recommender, Retrieved, Retriever, Scored, WorkOptions } from '../capability.js';
import { savedNumbers } from '../counts/counting.js';
import type { Storage } from '../fitted.js';
import type { Member } from '../method.js';
import { checkedItem } from '../sequence/encoder.js';
import { catalogFeatures } from './features.js';

export interface BlendParts {
  members: readonly Member[];
  /** One per member, in their order. */
  weights: Float64Array;
  /** N */
  catalogSize: number;
}

export class Blend implements Recommender, Retriever {
  readonly name = 'blend';

  constructor(readonly parts: BlendParts) {}

  /** The members' and the weights. */
  get trainableParameters(): number {
    const { members, weights } = this.parts;
    return members.reduce(
      (sum, { model }) => sum + model.recommender.trainableParameters,
      weights.length,
    );
  }

  async score(queries: readonly CandidateQuery[], options?: WorkOptions): Promise<Scored[]> {
    const { catalogSize } = this.parts;
    for (const { candidates } of queries)
      for (const item of candidates) checkedItem(item, catalogSize, `${this.name}: candidates`);
    return this.#each(queries, options, ({ candidates }, scores_N) => ({
      scores: candidates.map((item) => scores_N[item] as number),
    }));
  }

  async retrieve(queries: readonly RetrievalQuery[], options?: WorkOptions): Promise<Retrieved[]> {
    return this.#each(queries, options, (query, scores_N) => bestItems(scores_N, query));
  }

  async #each<Q extends RetrievalQuery | CandidateQuery, R>(
    queries: readonly Q[],
    { onProgress, signal }: WorkOptions = {},
    answer: (query: Q, scores_N: Float64Array) => R,
  ): Promise<R[]> {
    const { members, weights, catalogSize } = this.parts;
    const answers: R[] = [];
    const features = catalogFeatures(members, queries, { catalogSize, signal });
    for await (const { features_MN } of features) {
      const scores_N = new Float64Array(catalogSize);
      for (const [m, weight] of weights.entries())
        for (let item = 0; item < catalogSize; item++)
          scores_N[item]! += weight * (features_MN[m * catalogSize + item] as number);
      answers.push(answer(queries[answers.length] as Q, scores_N));
      onProgress?.(answers.length);
    }
    return answers;
  }
}

/** One tensor per member, under its name, so that weights never meet another's scores. */
export function blendStorage(members: readonly Member[], catalogSize: number): Storage<Blend> {
  const keyOf = ({ name }: Member): string => `weight.${name}`;
  return {
    state: ({ parts: { weights } }) =>
      new Map(
        members.map((member, m) => [keyOf(member), Tensor.from(weights.slice(m, m + 1))] as const),
      ),
    read(saved, where) {
      const lengths = Object.fromEntries(members.map((member) => [keyOf(member), 1]));
      const numbers = savedNumbers(saved, lengths, where);
      const weights = members.map((member) => numbers[keyOf(member)]?.[0] as number);
      if (!weights.every(Number.isFinite))
        throw faults('format', where, ['weights: expected finite numbers']);
      return new Blend({ members, weights: Float64Array.from(weights), catalogSize });
    },
  };
}
