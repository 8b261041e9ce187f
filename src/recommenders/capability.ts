/**
 * What a trained method can do, one interface per capability. Callers ask for a capability, never for a class.
 */
import type { CandidateQuery, RetrievalQuery } from '../data/index.js';
import type { Module, Pass } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';

/** Scores of one query's candidates, and what else the method has to say about it. */
export interface Scored {
  /** One score per candidate, in the query's order; higher is better. */
  scores: readonly number[];
  /** Weights of the experts (sum 1), for methods that have a gate. */
  gates?: readonly number[];
}

/** The best items of one query, best first. */
export interface Retrieved {
  items: readonly number[];
  /** One score per item, falling. */
  scores: readonly number[];
}

/** What long work may report and be told. */
export interface WorkOptions {
  /** Called with the number of queries done. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Scores candidates. Evaluation sees this interface and no class behind it. */
export interface Recommender {
  /** Name in tables: that of its method, or of what was made of it. */
  readonly name: string;
  /** Number of trained values; 0 for counts. */
  readonly trainableParameters: number;
  /**
   * Scores every query's candidates; result i belongs to query i. The other queries change no score, nor does
   * the order of the candidates, unless the method reads them one after the other.
   * @throws IloraError `data` for an item outside the catalog; AbortError when the signal fires
   */
  score(queries: readonly CandidateQuery[], options?: WorkOptions): Promise<Scored[]>;
}

/** Finds the best items of the whole catalog. */
export interface Retriever {
  /**
   * The best items of each query; result i belongs to query i.
   * @throws IloraError `data` for an item outside the catalog; AbortError when the signal fires
   */
  retrieve(queries: readonly RetrievalQuery[], options?: WorkOptions): Promise<Retrieved[]>;
}

/** Vectors of items, such as a slot in a prompt takes; where they come from is their own matter. */
export interface ItemVectors {
  /** M */
  readonly width: number;
  /** @returns vectors_XM of the items, without gradient history where they are frozen */
  itemVectors(items: readonly number[]): Tensor;
}

/** The sequence model behind gate and slots: a vector per history, a vector per item. */
export interface Encoder extends ItemVectors {
  /** Width of the representation; that of the item vectors is `width`. */
  readonly representationWidth: number;
  /** Longest history that counts; of a longer one, the last items do. */
  readonly maxHistory: number;
  /**
   * @param histories item ids, oldest first
   * @returns representation_BS, S the representation's width
   * @throws IloraError `data` for an empty history, or an item outside the catalog
   */
  represent(histories: readonly (readonly number[])[]): Tensor;
  /**
   * States after every item. It is causal: a state depends on no later item, and not on the padding.
   * @param items_BL int64 ids, oldest first, at most `maxHistory` of them, padded on the right with N
   * @returns states_BLS
   */
  forward(items_BL: Tensor, pass?: Pass): Tensor;
  /** What its own scores are made of: state · vector + bias. They stay the encoder's. */
  outputs(): ItemOutputs;
  /** One of the same values that is trained further. */
  trainableCopy(): Encoder & Module;
  /** All that another thread needs to make the same encoder over the same tensors. */
  describe(): EncoderDescription;
  /** Its tensors by key. */
  namedTensors(): Iterable<[string, Tensor]>;
}

/** A vector per item that states are multiplied with. */
export interface ItemOutputs {
  vectors_NS: Tensor;
  bias_N?: Tensor;
}

/** An encoder as plain data; its tensors travel beside it. */
export interface EncoderDescription {
  /** Name of its method in the registry. */
  method: string;
  /** What its constructor takes: numbers and texts. */
  options: object;
}

/** Answers in words. */
export interface TextGenerator {
  /** An answer for each query, one line. */
  generate(queries: readonly CandidateQuery[], options?: WorkOptions): Promise<string[]>;
  /** An item's title as the model sees it; answers are compared with it. */
  titleOf(item: number): string;
}

/** Can be shown other titles than the catalog's, for tests of what titles alone do. */
export interface TitleReader {
  /** The same recommender, which reads these items under these titles; other items cannot be asked for. */
  withTitles(titles: ReadonlyMap<number, string>): Recommender;
}

/** All capabilities; each is undefined where a model lacks it. */
export interface Capabilities {
  recommender: Recommender;
  retriever: Retriever;
  encoder: Encoder;
  generator: TextGenerator;
  titleReader: TitleReader;
}

export type Capability = keyof Capabilities;
