/**
 * One interface for everything that ranks candidates: counts, SASRec, language models.
 */
import type { Instance } from '../data/index.js';

/** Scores of one instance's candidates, and what else the method has to say about it. */
export interface Ranking {
  /** One score per candidate, in the order of `instance.candidates`; higher is better. */
  scores: readonly number[];
  /** Weights of the experts (sum 1), for methods that have a gate. */
  gates?: readonly number[];
}

/** What a ranking may report and be told while it works. */
export interface RankOptions {
  /** Called after each instance or batch with the number of instances done. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Ranks the candidates of instances. Evaluation sees this interface and no class behind it. */
export interface Recommender {
  /** Name in tables: `popularity`, `sasrec`, `ilora` ... */
  readonly name: string;
  /** Number of trained parameters; 0 for counts. */
  readonly trainableParameters: number;
  /** Scores every instance's candidates; result i belongs to instance i. */
  rank(instances: readonly Instance[], options?: RankOptions): Promise<Ranking[]>;
}
