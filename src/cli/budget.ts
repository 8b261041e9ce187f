/**
 * How long the quickstart takes on this machine, and what of it fits into ten minutes.
 */
import { isObject } from '../files/index.js';
import { full, linear, noGrad, scope } from '../tensor/index.js';

export type Keys = Record<string, unknown>;

/** Rows, width in and width out of a product like those in SmolLM2-135M. */
const PRODUCT = [512, 576, 1536] as const;
const PROBE_SECONDS = 0.5;

/** GFLOP per second in products of matrices in float32, all threads of the engine together. */
export function machineRate(): number {
  const [rows, input, output] = PRODUCT;
  return noGrad(() =>
    scope(() => {
      const [x, weight] = [full([rows, input], 1), full([output, input], 1)];
      const once = (): number => {
        const started = performance.now();
        scope(() => linear(x, weight));
        return (performance.now() - started) / 1000;
      };
      let best = once();
      for (let spent = best; spent < PROBE_SECONDS; ) {
        const seconds = once();
        spent += seconds;
        best = Math.min(best, seconds);
      }
      return (2 * rows * input * output) / best / 1e9;
    }),
  );
}

/** What the quickstart took where it was measured: seconds, and the rate of that machine. */
const MEASURED = { seconds: 500, rate: 200 } as const;
/** Of the seconds, the part that does not shrink with the budget. */
const FIXED_SHARE = 0.4;
const MOST_SECONDS = 600;
const LEAST_SHARE = 0.25;

/** @returns seconds in all, and the share of the usual training that keeps them below ten minutes */
export function budgetOf(rate: number): { seconds: number; share: number } {
  const whole = (MEASURED.seconds * MEASURED.rate) / rate;
  const fixed = whole * FIXED_SHARE;
  const share = Math.min(1, Math.max(LEAST_SHARE, (MOST_SECONDS - fixed) / (whole - fixed)));
  return { seconds: fixed + share * (whole - fixed), share };
}

/** A study's document with that share of its language models' training. */
export function cutDown(document: Keys, share: number): Keys {
  if (share === 1) return document;
  const { training, variants } = document as { training: Keys; variants: Record<string, Keys> };
  const cut = (keys: Keys): Keys => {
    const less = { ...keys };
    for (const key of ['windows', 'validate_every'])
      if (typeof keys[key] === 'number') less[key] = Math.ceil(share * keys[key]);
    if (typeof keys.epochs === 'number') less.epochs = share * keys.epochs;
    return less;
  };
  return {
    ...document,
    training: cut(training),
    variants: Object.fromEntries(
      Object.entries(variants).map(([name, variant]) => [
        name,
        isObject(variant.training)
          ? { ...variant, training: cut(variant.training as Keys) }
          : variant,
      ]),
    ),
  };
}
