/**
 * One order for all users: are sequences what users did, in time, or sorted by a key?
 *
 * Where sequences are sorted by a key that all users share, two items that meet in several sequences
 * always stand in the same order. For every pair of items the sequences that hold both are counted by
 * order. A sequence's agreement is the share of *other* sequences' votes, over all its pairs, that
 * order a pair as it does: about 0.5 where order says nothing, 1 under one order for all. The lower
 * bound of the mean allows for sequences voting on each other.
 *
 * Two more figures find a small sorted part:
 * - sequences of at least six items that rise or fall by id or by title throughout (2 in 720 by chance);
 * - sequences that follow the majority of the others in 95 % of at least 15 decided pairs.
 */
import { coldRuleOf, type Dataset } from '../data/index.js';
import { Random } from '../random/index.js';
import { isAbove } from './chance.js';
import { type Check, type Finding, outOf, percent } from './finding.js';
import { PairTable } from './pair-table.js';
import { hasRowsOnly } from './rows.js';

/** Pairs counted at most; beyond it a random part of the items stands for all. */
const maxMeetings = 4_000_000;
const minSequences = 8;
const minDecided = 15;
const followsFrom = 0.95;
const minSorted = 6;
const limits = { warning: 0.65, severe: 0.85, followers: 0.05, sorted: 0.02 };

export const oneOrder: Check = {
  id: 'one-order',
  run(dataset: Dataset): Finding {
    const orders = distinctOrders(dataset);
    const { kept, share } = thin(orders, dataset.catalog.size);
    const table = new PairTable(dataset.catalog.size);
    for (const items of kept)
      for (let i = 0; i < items.length; i++)
        for (let j = i + 1; j < items.length; j++) table.add(items[i]!, items[j]!);
    const pairs = countPairs(table);
    const { agreements, followers, judged } = vote(kept, table);
    const sorted = countSorted(orders, dataset);
    const sequences = agreements.length;
    const mean = sequences === 0 ? Number.NaN : agreements.reduce((a, b) => a + b, 0) / sequences;
    const spread = Math.sqrt(
      agreements.reduce((sum, a) => sum + (a - mean) ** 2, 0) / Math.max(1, sequences - 1),
    );
    // Three standard errors; √2 because every comparison of two sequences counts for both.
    const low = mean - (3 * Math.SQRT2 * spread) / Math.sqrt(sequences);
    const figures = {
      sequencesCompared: sequences,
      pairs: pairs.total,
      pairsInOneOrder: pairs.oneOrder,
      pairsReversed: pairs.total - pairs.oneOrder,
      share: pairs.total === 0 ? null : pairs.oneOrder / pairs.total,
      shareByChance: pairs.total === 0 ? null : pairs.byChance / pairs.total,
      agreement: sequences === 0 ? null : mean,
      agreementLow: sequences === 0 ? null : low,
      followers,
      sequencesJudged: judged,
      sortedById: sorted.byId,
      sortedByTitle: sorted.byTitle,
      sequencesOfSix: sorted.total,
      itemsCounted: share,
    };
    if (sequences < minSequences)
      return {
        id: 'one-order',
        severity: 'info',
        isKnown: false,
        figures,
        figure: `${sequences} sequences share pairs of items`,
        message: `Cannot be told: fewer than ${minSequences} sequences share two items with another.`,
        advice: '',
      };
    const isFollowed = followers >= 5 && followers >= limits.followers * judged;
    const mostSorted = Math.max(sorted.byId, sorted.byTitle);
    const isSorted = isAbove(mostSorted, sorted.total, limits.sorted);
    const severity =
      low >= limits.severe
        ? 'severe'
        : low >= limits.warning || isFollowed || isSorted
          ? 'warning'
          : 'info';
    return {
      id: 'one-order',
      severity,
      isKnown: true,
      figures,
      figure: `${outOf(pairs.oneOrder, pairs.total)} pairs of items always in one order, ${percent(pairs.byChance / pairs.total)} by chance; agreement ${mean.toFixed(2)}`,
      message: {
        severe:
          'Sequences are not chronological: users share one fixed order. The target is the item that comes last in that order, so a good score does not show sequence modelling.',
        warning: `Part of the sequences are in an order that is not their user's own: ${outOf(mostSorted, sorted.total)} rise or fall by id or title throughout, ${outOf(followers, judged)} follow what most others do.`,
        info: 'Users meet the same items in different orders.',
      }[severity],
      advice:
        severity === 'info'
          ? ''
          : 'Import again with the true times; without them report this beside every result and compare with a rule that follows the order.',
    };
  },
};

/** Items of every sequence at their first occurrence. */
function distinctOrders(dataset: Dataset): number[][] {
  const { sequences, catalog } = dataset;
  const seenIn = new Int32Array(catalog.size).fill(-1);
  const runs = hasRowsOnly(dataset) ? new Set<string>() : undefined;
  const orders: number[][] = [];
  const lastOf = coldRuleOf(dataset.manifest.splitRule) && lastSequences(dataset);
  for (let sequence = 0; sequence < sequences.size; sequence++) {
    if (lastOf !== undefined && lastOf.get(sequences.user(sequence)) !== sequence) continue;
    const items = sequences.itemsOf(sequence);
    if (runs !== undefined && repeatsRun(items, runs)) continue;
    const order: number[] = [];
    for (const item of items)
      if (seenIn[item] !== sequence) {
        seenIn[item] = sequence;
        order.push(item);
      }
    orders.push(order);
  }
  return orders;
}

/** Number of each user's last sequence: where rows have sequences of their own, the last one holds most. */
function lastSequences({ sequences }: Dataset): Map<string, number> {
  const lastOf = new Map<string, number>();
  for (let i = 0; i < sequences.size; i++) lastOf.set(sequences.user(i), i);
  return lastOf;
}

/**
 * Whether three items in a row have stood in an earlier sequence. Rows of one user overlap, and a user
 * agrees with himself; where rows are all there is, such rows are left out.
 */
function repeatsRun(items: Int32Array, runs: Set<string>): boolean {
  const own: string[] = [];
  for (let i = 2; i < items.length; i++) own.push(`${items[i - 2]},${items[i - 1]},${items[i]}`);
  const isRepeated = own.some((run) => runs.has(run));
  if (!isRepeated) for (const run of own) runs.add(run);
  return isRepeated;
}

/** Leaves out items at random until the pairs can be counted. */
function thin(orders: number[][], size: number): { kept: number[][]; share: number } {
  const meetings = orders.reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0);
  if (meetings <= maxMeetings) return { kept: orders, share: 1 };
  const share = Math.sqrt(maxMeetings / meetings);
  const random = new Random(0, 'audit/one-order');
  const isKept = Uint8Array.from({ length: size }, () => (random.uniform() < share ? 1 : 0));
  return { kept: orders.map((items) => items.filter((item) => isKept[item] === 1)), share };
}

/** Pairs that meet in at least two sequences; by chance k sequences agree with 2^(1 − k). */
function countPairs(table: PairTable): { total: number; oneOrder: number; byChance: number } {
  const pairs = { total: 0, oneOrder: 0, byChance: 0 };
  for (const [forward, backward] of table.counts()) {
    const meetings = forward + backward;
    if (meetings < 2) continue;
    pairs.total++;
    if (forward === 0 || backward === 0) pairs.oneOrder++;
    pairs.byChance += 2 ** (1 - meetings);
  }
  return pairs;
}

/** Sequences of at least six items that rise or fall throughout, by id and by title. */
function countSorted(
  orders: readonly number[][],
  { catalog }: Dataset,
): { byId: number; byTitle: number; total: number } {
  const byTitle = catalog.items
    .map(({ id }) => id)
    .sort((a, b) => (catalog.items[a]!.title < catalog.items[b]!.title ? -1 : 1));
  const placeOf = new Int32Array(catalog.size);
  for (const [place, id] of byTitle.entries()) placeOf[id] = place;
  const found = { byId: 0, byTitle: 0, total: 0 };
  for (const items of orders) {
    if (items.length < minSorted) continue;
    found.total++;
    if (isMonotone(items, (item) => item)) found.byId++;
    if (isMonotone(items, (item) => placeOf[item]!)) found.byTitle++;
  }
  return found;
}

function isMonotone(items: readonly number[], keyOf: (item: number) => number): boolean {
  const isRising = keyOf(items[1]!) > keyOf(items[0]!);
  for (let i = 1; i < items.length; i++)
    if (keyOf(items[i]!) > keyOf(items[i - 1]!) !== isRising) return false;
  return true;
}

function vote(
  orders: readonly number[][],
  table: PairTable,
): { agreements: number[]; followers: number; judged: number } {
  const agreements: number[] = [];
  let followers = 0;
  let judged = 0;
  for (const items of orders) {
    let same = 0;
    let votes = 0;
    let followed = 0;
    let decided = 0;
    for (let i = 0; i < items.length; i++)
      for (let j = i + 1; j < items.length; j++) {
        const agree = table.before(items[i]!, items[j]!) - 1; // without its own vote
        const oppose = table.before(items[j]!, items[i]!);
        same += agree;
        votes += agree + oppose;
        if (agree === oppose) continue;
        decided++;
        if (agree > oppose) followed++;
      }
    if (votes > 0) agreements.push(same / votes);
    if (decided < minDecided) continue;
    judged++;
    if (followed >= followsFrom * decided) followers++;
  }
  return { agreements, followers, judged };
}
