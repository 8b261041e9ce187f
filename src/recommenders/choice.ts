/**
 * How a method that is counted or solved chooses what its settings leave open: one rule for all such methods.
 *
 * A trial is worth the reciprocal place of the target, in expectation over all draws of candidates, with several
 * windows of every validation user. One draw of candidates on one window per user is too noisy to choose by.
 */
import { z } from 'zod';
import {
  type Dataset,
  evenlySpaced,
  type Instance,
  type Protocol,
  protocols,
  reciprocalPlaceOdds,
} from '../data/index.js';
import { type ErrorCode, faults, internal, mismatch, show } from '../errors/index.js';
import type { Recommender } from './capability.js';
import { turn } from './turn.js';

/** Key of a method whose settings can be left open. */
export const choiceShape = {
  protocol: z
    .enum(protocols)
    .default('window')
    .describe('histories that the choice is made for: the last items, or all of the past'),
} as const;

/** Windows of each validation user. */
const WINDOWS_PER_USER = 5;
/** Scores of a trial, so that large datasets do not make a choice take hours ... */
const MOST_SCORES = 2 ** 22;
/** ... and windows that are used all the same. */
const LEAST_WINDOWS = 200;

/** The windows that a choice is made on. */
export function choiceWindows(dataset: Dataset, protocol: Protocol): Instance[] {
  const windows = [...dataset.windows('validation', { perUser: WINDOWS_PER_USER, protocol })];
  const most = Math.max(LEAST_WINDOWS, Math.floor(MOST_SCORES / dataset.catalog.size));
  return evenlySpaced(windows.length, most).map((place) => windows[place] as Instance);
}

/** Numbers that a method can be told, or has to choose, by name. */
export type Numbers<K extends string = string> = Readonly<Record<K, number>>;

/** What a choice is made of. */
export interface Choice<K extends string, T extends Recommender> {
  /** What is chosen for, in messages. */
  where: string;
  /** Values to try of each setting; the first ones are the defaults. The last setting changes fastest. */
  grid: Readonly<Record<K, readonly number[]>>;
  /** Settings that are not open. */
  given: Partial<Record<K, number | undefined>>;
  /** The method with these settings. What it shares with the trial before is its own matter. */
  fit(settings: Record<K, number>): T | Promise<T>;
  /** Validation instances with a pool or without; never test rows. Not asked for where nothing is open. */
  validation: readonly Instance[];
  /** N */
  catalogSize: number;
}

/**
 * The best of all combinations of open settings. Of equally good ones it is the first, so the defaults win a tie.
 *
 * @throws IloraError `data` where something is open and there is no validation instance
 * @throws AbortError when the signal fires
 */
export async function choose<K extends string, T extends Recommender>(
  { where, grid, given, fit, validation, catalogSize }: Choice<K, T>,
  signal?: AbortSignal,
): Promise<T> {
  const trials = combinations(grid, given);
  const [only] = trials;
  if (only === undefined) throw internal(`${where}: a grid without values`);
  if (trials.length === 1) return fit(only);
  if (validation.length === 0)
    throw mismatch('data', {
      where: `${where}: validation`,
      expected: 'at least one instance',
      got: 0,
      hint: `give ${Object.keys(grid).join(', ')}, or a dataset with validation rows`,
    });
  let best: { model: T; quality: number } | undefined;
  for (const settings of trials) {
    await turn(signal);
    const model = await fit(settings);
    const quality = await expectedReciprocalPlace(model, validation, { catalogSize, signal });
    if (best === undefined || quality > best.quality) best = { model, quality };
  }
  return (best as { model: T }).model;
}

/**
 * Mean over the instances of the target's expected reciprocal place among candidates, over all draws.
 *
 * The whole catalog is scored. Items of the history are no answers, so they are nobody's rivals.
 */
export async function expectedReciprocalPlace(
  recommender: Recommender,
  instances: readonly Instance[],
  { catalogSize, signal }: { catalogSize: number; signal?: AbortSignal | undefined },
): Promise<number> {
  const catalog = Array.from({ length: catalogSize }, (_, item) => item);
  let sum = 0;
  for (let start = 0; start < instances.length; start += BATCH) {
    const batch = instances.slice(start, start + BATCH);
    const queries = batch.map((instance) => ({ ...instance, candidates: catalog }));
    const scored = await recommender.score(queries, signal && { signal });
    for (const [i, { scores }] of scored.entries()) {
      const { history, target, candidates, pool } = batch[i] as Instance;
      const seen = new Set(history).add(target);
      const bar = scores[target] as number;
      let rivals = 0;
      for (const item of catalog) if ((scores[item] as number) >= bar && !seen.has(item)) rivals++;
      sum += reciprocalPlaceOdds({
        pool: pool ?? catalogSize - seen.size,
        rivals,
        negatives: candidates.length - 1,
      });
    }
  }
  return sum / instances.length;
}

/** Instances whose scores of the whole catalog are held at once. */
const BATCH = 64;

/** Every combination of the values, with given settings at their one value; the last setting changes fastest. */
export function combinations<K extends string>(
  grid: Readonly<Record<K, readonly number[]>>,
  given: Partial<Record<K, number | undefined>>,
): Record<K, number>[] {
  let found: Record<string, number>[] = [{}];
  for (const [name, values] of Object.entries(grid) as [K, readonly number[]][]) {
    const own = given[name];
    const tried = own === undefined ? values : [own];
    found = found.flatMap((start) => tried.map((value) => ({ ...start, [name]: value })));
  }
  return found;
}

/** The numbers a setting may be; the same in a settings file, in a call and in a saved model. */
export type Ranges<K extends string> = Readonly<Record<K, z.ZodNumber>>;

/**
 * Settings that lie in their ranges.
 * @throws IloraError of that code, listing every setting that does not
 */
export function inRange<K extends string>(
  settings: Record<K, number>,
  ranges: Ranges<K>,
  { code, where }: { code: ErrorCode; where: string },
): Record<K, number> {
  const lines: string[] = [];
  for (const [name, range] of Object.entries(ranges) as [K, z.ZodNumber][]) {
    const { error } = range.safeParse(settings[name]);
    if (error === undefined) continue;
    const message = error.issues.map((issue) => issue.message.replace(/^.*: /, '')).join(', ');
    lines.push(`${name}: ${message}, got ${show(settings[name])}`);
  }
  if (lines.length > 0) throw faults(code, where, lines);
  return settings;
}

/** Settings as they were saved, in the order of their ranges. @throws IloraError `format` */
export function savedSettings<K extends string>(
  values: readonly number[],
  ranges: Ranges<K>,
  where: string,
): Record<K, number> {
  const names = Object.keys(ranges) as K[];
  const settings = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return inRange(settings as Record<K, number>, ranges, {
    code: 'format',
    where: `${where}: settings`,
  });
}

/** Some of the ranges as keys of a settings file that can be left out, each with its description. */
export function openShape<R extends Ranges<string>, K extends keyof R & string>(
  ranges: R,
  descriptions: Readonly<Record<K, string>>,
): Record<K, z.ZodOptional<z.ZodNumber>> {
  const entries = Object.entries(descriptions) as [K, string][];
  return Object.fromEntries(
    entries.map(([name, text]) => [
      name,
      (ranges[name] as z.ZodNumber).optional().describe(`${text}; left out: chosen on validation`),
    ]),
  ) as Record<K, z.ZodOptional<z.ZodNumber>>;
}
