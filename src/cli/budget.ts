/**
 * How long the quickstart takes on this machine, and what of it fits into ten minutes.
 */
import { isObject, writeFileAtomic } from '../files/index.js';
import { readDocument } from '../training/index.js';

export type Keys = Record<string, unknown>;

/** What the quickstart took where it was measured: seconds, and GFLOP/s of a product in float32 (`productSpeed`). */
const MEASURED = { seconds: 500, rate: 300 } as const;
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

/**
 * The share that a quickstart was begun with, so that it goes on with the same settings however fast the machine is
 * by then; one that is begun now is measured, and its share is kept.
 * @param marker file of the quickstart's folder
 * @throws IloraError `file` or `settings` for a marker that is damaged
 */
export function keptShare(marker: string, measured: () => number): number {
  const document = readDocument(marker);
  if (typeof document.share === 'number') return document.share;
  const share = measured();
  writeFileAtomic(marker, `${JSON.stringify({ ...document, share })}\n`);
  return share;
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
