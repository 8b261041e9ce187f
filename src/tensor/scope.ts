/**
 * Deterministic lifetimes: what is made inside a scope is freed at its end, except what it returns.
 *
 * JavaScript's collector does not free tensors in time. Scopes stand at the training step, the
 * evaluation batch and the request; finalizers are only the safety net.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Something a scope can own. */
export interface Owned {
  /** @internal */ owner: Scope | undefined;
  dispose(): void;
}

/** The set of handles to free when a `scope` ends. */
export class Scope {
  readonly #owned = new Set<Owned>();
  constructor(readonly parent: Scope | undefined) {}

  add(item: Owned): void {
    item.owner = this;
    this.#owned.add(item);
  }

  remove(item: Owned): void {
    item.owner = undefined;
    this.#owned.delete(item);
  }

  /** Frees everything except what `result` holds, which moves to the parent. */
  close(result?: unknown): void {
    for (const item of findOwned(result, new Set())) {
      if (item.owner !== this) continue;
      this.remove(item);
      this.parent?.add(item);
    }
    for (const item of this.#owned) {
      item.owner = undefined;
      item.dispose();
    }
    this.#owned.clear();
  }
}

const storage = new AsyncLocalStorage<Scope>();

/** The innermost scope that is open here, if any. */
export function currentScope(): Scope | undefined {
  return storage.getStore();
}

/**
 * Runs `body` and frees every tensor made in it, except those in its result (found in arrays, plain
 * objects and maps) and those given to `keep`. An async body frees at the end of its promise.
 */
export function scope<T>(body: () => T): T {
  const inner = new Scope(storage.getStore());
  let result: T;
  try {
    result = storage.run(inner, body);
  } catch (error) {
    inner.close();
    throw error;
  }
  if (result instanceof Promise) {
    return result.then(
      (value: unknown) => {
        inner.close(value);
        return value;
      },
      (error: unknown) => {
        inner.close();
        throw error;
      },
    ) as T;
  }
  inner.close(result);
  return result;
}

/** Takes a tensor out of its scope: from now on it lives until `dispose` or the collector. */
export function keep<T extends Owned>(item: T): T {
  item.owner?.remove(item);
  return item;
}

function isOwned(value: object): value is Owned {
  return 'owner' in value && 'dispose' in value;
}

function* findOwned(value: unknown, seen: Set<object>): Generator<Owned> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (isOwned(value)) {
    yield value;
  } else if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
    for (const entry of value instanceof Map ? value.values() : value)
      yield* findOwned(entry, seen);
  } else if (!ArrayBuffer.isView(value)) {
    for (const entry of Object.values(value)) yield* findOwned(entry, seen);
  }
}
