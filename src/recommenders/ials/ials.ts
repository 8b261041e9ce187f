/**
 * iALS: factors of items, learned with all that a user has not chosen as weak evidence against it.
 *
 * Y. Hu, Y. Koren & C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, with the weights
 * and the regularisation of S. Rendle et al., "Revisiting the Performance of iALS on Item Recommendation Benchmarks",
 * RecSys 2022: a row's λ grows with the number of its choices (their ν = 1), items begin at N(0, 0.1² / D).
 *
 * A user is not kept: whoever asks is solved from the history, as a training user is from theirs. Differs: older items
 * of a history may weigh less.
 */
import { z } from 'zod';
import type { Instance } from '../../data/index.js';
import { faults } from '../../errors/index.js';
import { Generator, mul, randn, scope, Tensor } from '../../tensor/index.js';
import { choose, inRange, type Numbers, savedSettings } from '../choice.js';
import { Counting, type CountOptions, savedNumbers } from '../counts/counting.js';
import type { Storage } from '../fitted.js';
import { checkedItem } from '../sequence/encoder.js';
import { HalfStep, type LeastSquares, type Matrix, type Row } from './half-step.js';

/** What the settings may be. */
export const ranges = {
  width: z.int().positive(),
  unobservedWeight: z.number().gt(0),
  regularization: z.number().gt(0),
  decay: z.number().gt(0).max(1),
};

/**
 * - `width`: D, of the factors;
 * - `unobservedWeight`: α₀ of Rendle et al.;
 * - `regularization`: λ;
 * - `decay`: weight of a history item relative to the next newer one; 1 in the papers.
 */
export type IalsSettings = Numbers<keyof typeof ranges>;

/** iALS's settings, some of them open. */
type OpenIals = { [K in keyof IalsSettings]?: number | undefined };

/** What `chooseIals` tries. */
const GRID = {
  width: [64],
  unobservedWeight: [0.1, 0.3, 1],
  regularization: [0.03, 0.02, 0.01],
  decay: [0.8, 0.9, 1],
} as const;

/** score(c) = w · h_c, w solved from the history. */
export class Ials extends Counting {
  readonly name = 'ials';
  readonly #foldIn: HalfStep;

  constructor(
    /** H, [N · D] */
    readonly items: Matrix,
    readonly settings: IalsSettings,
  ) {
    super(items.values.length / items.width);
    this.#foldIn = new HalfStep(items, settings);
  }

  override get trainableParameters(): number {
    return this.items.values.length;
  }

  /** The vector of a history, [D]: of its different items, each at its newest place. */
  foldIn(history: readonly number[]): Float64Array {
    const weights = new Map<number, number>();
    let weight = 1;
    for (const item of history.toReversed()) {
      if (!weights.has(item)) weights.set(item, weight);
      weight *= this.settings.decay;
    }
    return this.#foldIn.solve([{ items: [...weights.keys()], weights: [...weights.values()] }]);
  }

  protected scores(history: readonly number[], items: readonly number[]): number[] {
    const vector = this.foldIn(history);
    const { values, width } = this.items;
    return items.map((item) => {
      let score = 0;
      for (let d = 0; d < width; d++) score += vector[d]! * values[item * width + d]!;
      return score;
    });
  }
}

/** What `factorize` is made of. */
export interface FactorizeOptions extends CountOptions, LeastSquares {
  width: number;
  /** Times that users and items are solved in turn. */
  iterations: number;
  seed: number;
}

/**
 * Factors of the items.
 * @throws IloraError `data` for an item outside the catalog
 * @throws AbortError when the signal fires
 */
export async function factorize(
  { catalogSize, sequences, width, iterations, seed, ...settings }: FactorizeOptions,
  signal?: AbortSignal,
): Promise<Matrix> {
  const { users, items: choosers } = choicesOf({ catalogSize, sequences });
  let items: Matrix = { values: startValues(catalogSize, width, seed), width };
  for (let i = 0; i < iterations; i++) {
    const solved = await new HalfStep(items, settings).solveAll(users, signal);
    items = await new HalfStep(solved, settings).solveAll(choosers, signal);
  }
  return items;
}

function startValues(catalogSize: number, width: number, seed: number): Float64Array {
  return scope(() => {
    const drawn = randn([catalogSize, width], new Generator(seed), 'float64');
    return mul(drawn, 0.1 / Math.sqrt(width)).toTypedArray() as Float64Array;
  });
}

/** The items of each user, and the users of each item. */
export function choicesOf({ catalogSize, sequences }: CountOptions): {
  users: Row[];
  items: Row[];
} {
  const users: Row[] = [];
  const choosers = Array.from({ length: catalogSize }, (): number[] => []);
  for (const [user, { items }] of sequences.entries()) {
    const own = Int32Array.from(new Set(items));
    for (const item of own) choosers[checkedItem(item, catalogSize, 'iALS')]?.push(user);
    users.push({ items: own });
  }
  return { users, items: choosers.map((items) => ({ items })) };
}

/** Fits iALS, and chooses what is left open on validation instances; never pass test rows. */
export async function chooseIals(
  {
    catalogSize,
    sequences,
    iterations,
    seed,
    ...given
  }: CountOptions & OpenIals & Pick<FactorizeOptions, 'iterations' | 'seed'>,
  validation: readonly Instance[],
  signal?: AbortSignal,
): Promise<Ials> {
  let factors: { key: string; items: Matrix } | undefined;
  return choose(
    {
      where: 'ials',
      grid: GRID,
      given,
      async fit(settings) {
        inRange(settings, ranges, { code: 'usage', where: 'iALS' });
        const { decay, ...fixed } = settings;
        const key = JSON.stringify(fixed);
        if (factors?.key !== key) {
          const options = { catalogSize, sequences, iterations, seed, ...fixed };
          factors = { key, items: await factorize(options, signal) };
        }
        return new Ials(factors.items, { decay, ...fixed });
      },
      validation,
      catalogSize,
    },
    signal,
  );
}

/** The factors of items, with the settings that were chosen. */
export function ialsStorage(catalogSize: number): Storage<Ials> {
  return {
    state: ({ items, settings }) =>
      new Map([
        ['items', Tensor.from(items.values, [catalogSize, items.width])],
        [
          'settings',
          Tensor.from(
            Float64Array.of(
              settings.width,
              settings.unobservedWeight,
              settings.regularization,
              settings.decay,
            ),
          ),
        ],
      ]),
    read(saved, where) {
      const lengths = { items: [catalogSize, undefined], settings: 4 };
      const numbers = savedNumbers(saved, lengths, where);
      const settings = savedSettings(numbers.settings, ranges, where);
      const values = Float64Array.from(numbers.items);
      if (values.length !== catalogSize * settings.width)
        throw faults('format', where, [
          `items: expected ${settings.width} values of each, got ${values.length / catalogSize}`,
        ]);
      if (!values.every(Number.isFinite))
        throw faults('format', where, ['items: expected finite numbers']);
      return new Ials({ values, width: settings.width }, settings);
    },
  };
}
