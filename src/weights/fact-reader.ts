/** Reads typed values out of loosely typed ones and gathers every fault instead of the first. */
import { show } from '../errors/index.js';

/** A lookup with checks; faults are lines such as `num_hidden_layers: expected ..., got ...`. */
export class FactReader {
  readonly faults: string[] = [];

  constructor(private readonly lookup: (key: string) => unknown) {}

  /** The raw value; null counts as absent. */
  raw(key: string): unknown {
    return this.lookup(key) ?? undefined;
  }

  /** Adds a fault. */
  fail(key: string, expected: string, got: unknown): void {
    this.faults.push(`${key}: expected ${expected}, got ${show(got)}`);
  }

  /** A whole number from 1, or `fallback` where it is absent. */
  size(key: string, fallback?: number): number {
    const value = this.raw(key) ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
    this.fail(key, 'a whole number from 1', value);
    return 1;
  }

  /** A finite number above 0, or `fallback` where it is absent. */
  positive(key: string, fallback?: number): number {
    const value = this.raw(key) ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    this.fail(key, 'a number above 0', value);
    return 1;
  }

  /** True or false, or `fallback` where it is absent. */
  flag(key: string, fallback: boolean): boolean {
    const value = this.raw(key) ?? fallback;
    if (typeof value === 'boolean') return value;
    this.fail(key, 'true or false', value);
    return fallback;
  }

  /** A text, or nothing. */
  text(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined || typeof value === 'string') return value;
    this.fail(key, 'a text', value);
    return undefined;
  }

  /** A token id, or nothing. */
  id(key: string): number | undefined {
    return this.ids(key)[0];
  }

  /** One token id or several, or none. */
  ids(key: string): number[] {
    const value = this.raw(key);
    if (value === undefined) return [];
    const list = Array.isArray(value) ? value : [value];
    if (list.every((id) => Number.isSafeInteger(id) && id >= 0)) return list as number[];
    this.fail(key, 'token ids', value);
    return [];
  }
}
