/**
 * Weights of a blend, and what they are worth on users whom the fit does not know.
 *
 * The rows are windows of validation users. Members learned from train users only, so their scores on these rows are
 * what they are on new users; their own stopping and settings were chosen there, which is a few choices on many rows.
 */
import { type Instance, reciprocalPlaceOdds } from '../../data/index.js';
import { mismatch } from '../../errors/index.js';
import type { FitOptions, Member } from '../method.js';
import { catalogFeatures } from './features.js';
import { type Choice, fitLogit, scoresOf } from './logit.js';

/** An instance as the logit sees it. */
export interface BlendRow extends Choice {
  user: string;
  /** Items that negatives are drawn from, and how many are drawn. */
  pool: number;
  negatives: number;
}

/** Quality on rows of users whom the weights were not fitted to. */
export interface CrossFit {
  /** Mean over all draws of candidates, then over rows. */
  expectedMrr: number;
  /** Mean negative log-likelihood of the target among all items outside the history, in nats. */
  loss: number;
  /** The weights of each fold, fitted to the rows of the other folds. */
  weights: Float64Array[];
  /** Fold of each row. */
  folds: number[];
}

export interface BlendFitOptions {
  /** M */
  members: number;
  /** Of the logit. */
  ridge: number;
  signal?: AbortSignal;
}

/** Features of all rows, as float32, may take so many bytes. */
const MAX_BYTES = 2 ** 31;

/**
 * Rows of instances. An instance whose target is in its history is left out: such items are no answers.
 * @throws IloraError `usage` where the features would take too much memory
 */
export async function blendRows(
  members: readonly Member[],
  instances: readonly Instance[],
  { catalogSize: N, signal, onProgress }: FitOptions & { catalogSize: number },
): Promise<BlendRow[]> {
  const bytes = 4 * instances.length * N * members.length;
  if (bytes > MAX_BYTES)
    throw mismatch('usage', {
      where: 'blend.windows_per_user',
      expected: `scores of all members that fit into ${MAX_BYTES / 2 ** 30} GiB`,
      got: `${instances.length} windows of ${N} items: ${(bytes / 2 ** 30).toFixed(1)} GiB`,
      hint: 'take fewer windows per user',
    });
  const progress = { text: 'score validation windows', total: instances.length, unit: 'windows' };
  const rows: BlendRow[] = [];
  let done = 0;
  for await (const { features_MN, isSeen } of catalogFeatures(members, instances, {
    catalogSize: N,
    signal,
  })) {
    const { user, target, pool, candidates } = instances[done++] as Instance;
    onProgress?.({ ...progress, done });
    if (isSeen[target] === 1) continue;
    const items = [target];
    for (let item = 0; item < N; item++)
      if (isSeen[item] === 0 && item !== target) items.push(item);
    const features_KF = new Float32Array(items.length * members.length);
    let place = 0;
    for (const item of items)
      for (let m = 0; m < members.length; m++)
        features_KF[place++] = features_MN[m * N + item] as number;
    const negatives = candidates.length - 1;
    rows.push({ features_KF, user, pool: pool ?? items.length - 1, negatives });
  }
  return rows;
}

/** Weights fitted to all rows, [M]. */
export function fitBlend(
  rows: readonly BlendRow[],
  { members, ridge, signal }: BlendFitOptions,
): Promise<Float64Array> {
  return fitLogit(rows, { features: members, ridge, signal });
}

/**
 * Fits to all folds but one, and measures on that one. All rows of a user are in one fold.
 * @param folds at most; there are no more than users
 * @returns undefined for rows of a single user
 */
export async function crossFit(
  rows: readonly BlendRow[],
  folds: number,
  options: BlendFitOptions,
): Promise<CrossFit | undefined> {
  const users = new Map<string, number>();
  for (const { user } of rows) if (!users.has(user)) users.set(user, users.size);
  const count = Math.min(folds, users.size);
  if (count < 2) return undefined;
  const foldOf = rows.map(({ user }) => (users.get(user) as number) % count);
  const weights: Float64Array[] = [];
  for (let fold = 0; fold < count; fold++)
    weights.push(
      await fitBlend(
        rows.filter((_, row) => foldOf[row] !== fold),
        options,
      ),
    );
  let reciprocal = 0;
  let loss = 0;
  for (const [i, { features_KF, pool, negatives }] of rows.entries()) {
    const scores = scoresOf(features_KF, weights[foldOf[i] as number] as Float64Array);
    const own = scores[0] as number;
    let rivals = -1; // the target itself
    let total = 0;
    for (const score of scores) {
      if (score >= own) rivals++;
      total += Math.exp(score - own);
    }
    reciprocal += reciprocalPlaceOdds({ pool, rivals, negatives });
    loss += Math.log(total);
  }
  return {
    expectedMrr: reciprocal / rows.length,
    loss: loss / rows.length,
    weights,
    folds: foldOf,
  };
}
