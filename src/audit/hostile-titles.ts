/**
 * How far does an item move in what a trained run recommends when only its title changes?
 *
 * For each row the target, and separately one negative drawn by seed, is shown under each hostile
 * title. The gain is its place before minus its place after: above 0 the title has brought it up.
 * Ties count against the item, as in evaluation. Recommenders that read no titles are asked again
 * all the same, so that "no movement" is measured and not assumed.
 */
import type { Instance } from '../data/index.js';
import { bootstrapRatio, wilson } from '../evaluation/index.js';
import { Random } from '../random/index.js';
import type { Capabilities } from '../recommenders/index.js';
import { hostileVariants } from './hostile-variants.js';

/** Which item of a row is retitled. */
export const retitledRoles = ['target', 'negative'] as const;
export type RetitledRole = (typeof retitledRoles)[number];

/** What one variant did to the retitled items of one role. */
export interface TitleEffect {
  variant: string;
  role: RetitledRole;
  rows: number;
  /** Mean of the gains in places, with its 95 % interval over users. */
  gain: { mean: number; low: number; high: number };
  /** Quantiles of the gains. */
  spread: { min: number; p10: number; median: number; p90: number; max: number };
  /** Rows whose item moved at all. */
  moved: number;
  firstBefore: number;
  firstAfter: number;
  /** Share of the rows whose item was not first that became first; Wilson interval. */
  becameFirst: { count: number; total: number; share: number; low: number; high: number };
}

/** Result of {@link measureHostileTitles}. */
export interface HostileTitles {
  method: string;
  readsTitles: boolean;
  rows: number;
  candidates: number;
  seed: number;
  effects: TitleEffect[];
}

/** Times that a row is scored. */
export const passesPerRow = 1 + Object.keys(hostileVariants).length * retitledRoles.length;

export interface HostileOptions {
  /** A title as the catalog has it. */
  titleOf: (item: number) => string;
  seed?: number;
  /** Called with the number of rows scored. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Place of a candidate, from 1; equal scores of others come first. */
export function placeOf({ candidates }: Instance, scores: readonly number[], item: number): number {
  const own = scores[candidates.indexOf(item)]!;
  return candidates.filter((other, i) => other !== item && scores[i]! >= own).length + 1;
}

/**
 * Scores every row once as it is and once per variant and role.
 *
 * @param instances  rows with at least one negative each
 */
export async function measureHostileTitles(
  { recommender, titleReader }: Pick<Capabilities, 'recommender'> & Partial<Capabilities>,
  instances: readonly Instance[],
  { seed = 0, onProgress, signal, titleOf }: HostileOptions,
): Promise<HostileTitles> {
  const variants = Object.entries(hostileVariants);
  const changes = new Map<string, Change[]>();
  let done = 0;
  const score = async (instance: Instance, change?: { item: number; title: string }) => {
    const own = [...new Set([...instance.history, ...instance.candidates])];
    const titles = new Map(
      own.map((item) => [item, item === change?.item ? change.title : titleOf(item)]),
    );
    const reader = titleReader?.withTitles(titles) ?? recommender;
    const [scored] = await reader.score([instance], signal === undefined ? {} : { signal });
    onProgress?.(++done);
    return scored!.scores;
  };
  for (const instance of instances) {
    const { row, user, target, candidates } = instance;
    const negatives = candidates.filter((item) => item !== target);
    const negative =
      negatives[new Random(seed, 'audit/hostile-titles', row).int(negatives.length)]!;
    const scores = await score(instance);
    for (const [variant, write] of variants)
      for (const role of retitledRoles) {
        const [item, other] = role === 'target' ? [target, negative] : [negative, target];
        const title = write({ title: titleOf(item), other: titleOf(other) });
        const before = placeOf(instance, scores, item);
        const after = placeOf(instance, await score(instance, { item, title }), item);
        const key = `${variant}/${role}`;
        const list = changes.get(key) ?? [];
        changes.set(key, list);
        list.push({ user, before, after });
      }
  }
  return {
    method: recommender.name,
    readsTitles: titleReader !== undefined,
    rows: instances.length,
    candidates: Math.max(0, ...instances.map(({ candidates }) => candidates.length)),
    seed,
    effects: variants.flatMap(([variant]) =>
      retitledRoles.map((role) =>
        summarise(variant, role, changes.get(`${variant}/${role}`) ?? [], seed),
      ),
    ),
  };
}

interface Change {
  user: string;
  before: number;
  after: number;
}

function summarise(
  variant: string,
  role: RetitledRole,
  changes: readonly Change[],
  seed: number,
): TitleEffect {
  const gains = changes.map(({ before, after }) => before - after);
  const users = [...new Set(changes.map(({ user }) => user))];
  const groups = users.map((user) =>
    changes.flatMap((change, i) => (change.user === user ? [i] : [])),
  );
  const ends = bootstrapRatio(
    gains.map((value) => ({ value, weight: 1 })),
    groups,
    { seed, resamples: 2000 },
  );
  const sorted = gains.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  const notFirst = changes.filter(({ before }) => before > 1);
  const became = notFirst.filter(({ after }) => after === 1).length;
  const interval = notFirst.length === 0 ? { low: 0, high: 1 } : wilson(became, notFirst.length);
  return {
    variant,
    role,
    rows: changes.length,
    gain: { mean: gains.reduce((sum, gain) => sum + gain, 0) / gains.length, ...ends },
    spread: { min: at(0), p10: at(0.1), median: at(0.5), p90: at(0.9), max: at(1) },
    moved: gains.filter((gain) => gain !== 0).length,
    firstBefore: changes.length - notFirst.length,
    firstAfter: changes.filter(({ after }) => after === 1).length,
    becameFirst: {
      count: became,
      total: notFirst.length,
      share: notFirst.length === 0 ? 0 : became / notFirst.length,
      ...interval,
    },
  };
}
