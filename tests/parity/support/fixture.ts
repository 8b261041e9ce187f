/** Fixtures of the reference and the comparison with them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { keep, Tensor } from '../../../src/tensor/index.js';
import { loadTensors } from '../../../src/weights/tensor-file.js';
import { uniform } from './numbers.js';

/** What a generator wrote into one file. */
export interface Fixture<Facts> {
  facts: Facts & { madeWith: Record<string, string> };
  /** Weights and inputs, made anew from their names. */
  weights: Map<string, Tensor>;
  /** What the reference computed. */
  wanted: ReadonlyMap<string, Tensor>;
}

type Recipe = [shape: number[], spread: number, center?: number];

export function openFixture<Facts>(folder: string, name: string): Fixture<Facts> {
  const { tensors, metadata } = loadTensors(join(folder, 'fixtures', `${name}.safetensors`));
  const { weights: recipes = {}, ...facts } = JSON.parse(metadata.facts ?? '{}') as {
    weights?: Record<string, Recipe>;
  };
  const weights = new Map(
    Object.entries(recipes).map(([key, [shape, spread, center]]) => [
      key,
      keep(uniform(key, shape, { center, spread })),
    ]),
  );
  for (const tensor of tensors.values()) keep(tensor);
  return { facts: facts as Fixture<Facts>['facts'], weights, wanted: tensors };
}

/** Largest difference of two lists, relative to the largest value wanted or to `least`. */
export function relativeError(
  got: readonly number[],
  wanted: readonly number[],
  least = 0,
): number {
  let size = least;
  let difference = 0;
  for (const [i, value] of wanted.entries()) {
    size = Math.max(size, Math.abs(value));
    difference = Math.max(difference, Math.abs((got[i] as number) - value));
    if (Number.isNaN(got[i])) return Number.NaN;
  }
  return size === 0 ? difference : difference / size;
}

const numbersOf = (values: Tensor | readonly number[]): readonly number[] =>
  values instanceof Tensor ? values.toNumbers() : values;

/** Compares with a fixture and remembers the largest error and which values were asked for. */
export class Comparison {
  #worst = { error: 0, name: 'nothing' };
  readonly #seen = new Set<string>();
  #compared = 0;

  constructor(
    readonly wanted: ReadonlyMap<string, Tensor>,
    /** Bound on the relative error of each tensor. */
    readonly tolerance: number,
  ) {}

  /**
   * Fails unless a tensor (or list) has the shape and the values of the fixture's.
   * @param tolerance where a tensor has a bound of its own
   */
  check(name: string, got: Tensor | readonly number[], tolerance = this.tolerance): void {
    const wanted = this.#wanted(name);
    const shape = got instanceof Tensor ? got.shape : [got.length];
    assert.deepEqual(shape, wanted.shape, `${name}: shape`);
    this.#compare(name, numbersOf(got), wanted.toNumbers(), { tolerance });
  }

  /** The same for numbers in row-major order, whatever the shape in the fixture. */
  checkFlat(name: string, got: readonly number[]): void {
    const wanted = this.#wanted(name);
    assert.equal(got.length, wanted.size, `${name}: number of values`);
    this.#compare(name, got, wanted.toNumbers());
  }

  /**
   * Compares norm and two projections of each tensor, which the fixture holds instead of their values:
   * a row per tensor, by name.
   *
   * A gradient that cancels (that of a key's bias is zero but for rounding) has no size of its own: rows far below
   * the table's largest are measured against a thousandth of it.
   */
  checkFingerprints(name: string, tensors: ReadonlyMap<string, Tensor | readonly number[]>): void {
    const wanted = this.#wanted(name);
    assert.deepEqual(wanted.shape, [tensors.size, 3], `${name}: shape`);
    const rows = wanted.toNumbers();
    const least = 1e-3 * rows.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    for (const [row, key] of [...tensors.keys()].sort().entries()) {
      const values = numbersOf(tensors.get(key) as Tensor | readonly number[]);
      const along = [0, 1].map((k) =>
        uniform(`along ${k} ${key}`, [values.length])
          .toNumbers()
          .reduce((total, u, i) => total + u * (values[i] as number), 0),
      );
      const got = [Math.hypot(...values), ...along];
      this.#compare(`${name} of ${key}`, got, rows.slice(3 * row, 3 * row + 3), { least });
    }
  }

  #wanted(name: string): Tensor {
    const wanted = this.wanted.get(name);
    assert.ok(wanted !== undefined, `the fixture has no ${name}`);
    this.#seen.add(name);
    return wanted;
  }

  #compare(
    name: string,
    got: readonly number[],
    wanted: readonly number[],
    { least = 0, tolerance = this.tolerance } = {},
  ): void {
    const error = relativeError(got, wanted, least);
    if (!(error <= this.#worst.error)) this.#worst = { error, name };
    assert.ok(error <= tolerance, `${name}: relative error ${error} > ${tolerance}`);
    this.#compared++;
  }

  /** Fails if the fixture holds something that was never compared. */
  finish(): string {
    const missed = [...this.wanted.keys()].filter((name) => !this.#seen.has(name));
    assert.deepEqual(missed, [], 'all values of the fixture are compared');
    const { error, name } = this.#worst;
    return `${this.#compared} tensors compared; largest relative error ${error.toExponential(1)} (${name}), allowed ${this.tolerance}`;
  }
}
