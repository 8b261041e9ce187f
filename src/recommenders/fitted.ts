/**
 * A model that is counted or solved in one go: there is nothing of it before it was fitted or loaded.
 */
import { internal } from '../errors/index.js';
import type { Tensor } from '../tensor/index.js';
import type { Capabilities, Recommender, Retriever } from './capability.js';
import type { Model } from './method.js';

/** How what was fitted is written as tensors and read again. */
export interface Storage<T> {
  state(fitted: T): ReadonlyMap<string, Tensor>;
  /** @throws IloraError `format` */
  read(saved: ReadonlyMap<string, Tensor>, where: string): T;
}

export class FittedModel<T extends Recommender & Retriever> implements Model {
  #fitted: T | undefined;

  constructor(private readonly storage: Storage<T>) {}

  /** What was fitted. */
  get fitted(): T {
    if (this.#fitted === undefined) throw internal('a model was asked before it was fitted');
    return this.#fitted;
  }

  set fitted(fitted: T) {
    this.#fitted = fitted;
  }

  get recommender(): Capabilities['recommender'] {
    return this.fitted;
  }

  get retriever(): Capabilities['retriever'] {
    return this.fitted;
  }

  state(): ReadonlyMap<string, Tensor> {
    return this.storage.state(this.fitted);
  }

  load(saved: ReadonlyMap<string, Tensor>, where: string): void {
    this.#fitted = this.storage.read(saved, where);
  }

  freeze(): void {}
}
