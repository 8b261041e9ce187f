/**
 * Deterministic lifetimes: what is made inside a scope is freed at its end, except what it returns.
 *
 * JavaScript's collector does not free tensors in time. Scopes stand at the training step, the
 * evaluation batch and the request; finalizers are only the safety net.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mismatch } from '../errors/index.js';

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
    try {
      for (const item of findOwned(result, new Set())) {
        if (item.owner !== this) continue;
        this.remove(item);
        this.parent?.add(item);
      }
    } catch (error) {
      // A getter or a proxy in it throws. What was made is freed all the same.
      throw mismatch(
        'engine',
        { where: 'scope(body)', expected: 'a result that can be looked through', got: result },
        error,
      );
    } finally {
      for (const item of this.#owned) {
        item.owner = undefined;
        item.dispose();
      }
      this.#owned.clear();
    }
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
  if (typeof body !== 'function')
    throw mismatch('engine', { where: 'scope(body)', expected: 'a function', got: body });
  const inner = new Scope(storage.getStore());
  let result: T;
  try {
    result = storage.run(inner, body);
  } catch (error) {
    inner.close();
    throw error;
  }
  if (isPromise(result)) {
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

function isPromise(value: unknown): value is Promise<unknown> {
  try {
    return value instanceof Promise;
  } catch {
    return false; // a proxy that throws
  }
}

/** Takes a tensor out of its scope: from now on it lives until `dispose` or the collector. */
export function keep<T extends Owned>(item: T): T {
  try {
    if (typeof item === 'object' && item !== null && 'owner' in item) {
      item.owner?.remove(item);
      return item;
    }
  } catch {
    // a proxy that throws, or an owner that is no scope
  }
  throw mismatch('engine', { where: 'keep(item)', expected: 'a tensor', got: item });
}

function isOwned(value: object): value is Owned {
  return 'owner' in value && 'dispose' in value;
}

function* findOwned(value: unknown, seen: Set<object>): Generator<Owned> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (isOwned(value)) {
    yield value;
  } else if (value instanceof Map || value instanceof Set) {
    for (const entry of value.values()) yield* findOwned(entry, seen);
  } else if (!ArrayBuffer.isView(value)) {
    // Of arrays too: `for of` would walk through every hole of a sparse one.
    for (const entry of Object.values(value))
      if (typeof entry === 'object') yield* findOwned(entry, seen);
  }
}
