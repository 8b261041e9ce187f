/**
 * Do ids or the order of rows give the target away?
 *
 * Rules that read nothing but ids guess among the frozen candidates of validation and test. They take
 * - the smallest id, or the largest;
 * - the one nearest to the last history item: on either side, above, or below;
 * - the one nearest to the target of the row before;
 * - the one whose place in the catalog is nearest to the row's place in its split.
 *
 * Ids that say nothing give 1 / candidates. Probabilities are exact binomial tails times the number of rules.
 */
import type { Dataset } from '../data/index.js';
import { binomialTail, rare } from './chance.js';
import { type Check, type Finding, percent } from './finding.js';
import { auditedSplits, heldOutSplits, rowsOf } from './rows.js';

/** What a rule may look at. */
interface Clue {
  /** Id of the last history item. */
  last: number;
  /** Target of the row before; undefined in the first row. */
  before: number | undefined;
  /** The row's place in its split as an id. */
  place: number;
}

/** Smaller is guessed first; infinite where a rule has nothing to say. */
const rules: Record<string, (item: number, clue: Clue) => number> = {
  smallest: (item) => item,
  largest: (item) => -item,
  nearestToLast: (item, { last }) => Math.abs(item - last),
  nextAboveLast: (item, { last }) => (item > last ? item - last : Number.POSITIVE_INFINITY),
  nextBelowLast: (item, { last }) => (item < last ? last - item : Number.POSITIVE_INFINITY),
  nearestToRowBefore: (item, { before }) =>
    before === undefined ? Number.POSITIVE_INFINITY : Math.abs(item - before),
  nearestToRowPlace: (item, { place }) => Math.abs(item - place),
};

const limits = { warning: 0.05, severe: 0.25, successor: 0.02 };

export const idLeak: Check = {
  id: 'id-leak',
  run(dataset: Dataset): Finding {
    const { hits, rows } = score(dataset);
    const chance = 1 / dataset.manifest.candidates.count;
    const names = Object.keys(rules);
    const best = names.reduce((one, other) => (hits[other]! > hits[one]! ? other : one));
    const share = rows === 0 ? 0 : hits[best]! / rows;
    /** 0 at chance, 1 where the rule is always right. */
    const excess = (share - chance) / (1 - chance);
    const probability = Math.min(1, names.length * binomialTail(hits[best]!, rows, chance));
    const successors = Object.fromEntries(
      auditedSplits.map((split) => [split, successorsIn(dataset, split)]),
    );
    const isSuccessor = auditedSplits.some((split) => {
      const { share: own, expected, rows: total } = successors[split]!;
      return (
        own - expected >= limits.successor &&
        binomialTail(Math.round(own * total), total, expected) < rare
      );
    });
    const isRare = probability < rare;
    const severity =
      isRare && excess >= limits.severe
        ? 'severe'
        : (isRare && excess >= limits.warning) || isSuccessor
          ? 'warning'
          : 'info';
    const { test } = successors;
    return {
      id: 'id-leak',
      severity,
      isKnown: rows > 0,
      figures: {
        rows,
        chance,
        ...Object.fromEntries(names.map((name) => [name, rows === 0 ? 0 : hits[name]! / rows])),
        best,
        probability,
        targetIsLastIdPlusOne: successors,
        idsFollowFirstAppearance: firstAppearances(dataset),
      },
      figure: `best rule (${best}) is right in ${percent(share)}, chance ${percent(chance)}; target = last id + 1 in ${percent(test!.share)} of test`,
      message:
        severity === 'info'
          ? 'Ids do not give the target away.'
          : 'Ids carry meaning: a rule that reads nothing but numbers beats chance.',
      advice:
        severity === 'info'
          ? ''
          : 'Number items at random before importing, and never show numeric ids to a model as text or quantity.',
    };
  },
};

/** Hits of every rule over the frozen candidates; two candidates equally near count as missed. */
function score(dataset: Dataset): { hits: Record<string, number>; rows: number } {
  const hits = Object.fromEntries(Object.keys(rules).map((name) => [name, 0]));
  let rows = 0;
  for (const split of heldOutSplits) {
    let before: number | undefined;
    const total = dataset.rows(split);
    for (const { row, history, target } of rowsOf(dataset, split)) {
      const { candidates } = dataset.instance(split, row);
      const place = (row / Math.max(1, total - 1)) * (dataset.catalog.size - 1);
      const clue = { last: history.at(-1)!, before, place };
      for (const [name, rule] of Object.entries(rules)) {
        const own = rule(target, clue);
        if (
          own < Number.POSITIVE_INFINITY &&
          candidates.every((item) => item === target || rule(item, clue) > own)
        )
          hits[name]!++;
      }
      before = target;
      rows++;
    }
  }
  return { hits, rows };
}

/** How often the target's id follows that of the last item, and how often it would if they were independent. */
function successorsIn(
  dataset: Dataset,
  split: (typeof auditedSplits)[number],
): { rows: number; share: number; expected: number } {
  const size = dataset.catalog.size;
  const lasts = new Int32Array(size + 1);
  const targets = new Int32Array(size + 1);
  let found = 0;
  const rows = dataset.rows(split);
  for (const { history, target } of rowsOf(dataset, split)) {
    const last = history.at(-1)!;
    lasts[last]!++;
    targets[target]!++;
    if (target === last + 1) found++;
  }
  let expected = 0;
  for (let item = 0; item < size; item++) expected += lasts[item]! * targets[item + 1]!;
  return {
    rows,
    share: rows === 0 ? 0 : found / rows,
    expected: rows === 0 ? 0 : expected / rows ** 2,
  };
}

/** Share of items that, walking through the sequences, appear after all smaller ids that appear. */
function firstAppearances({ sequences, catalog }: Dataset): number {
  const isSeen = new Uint8Array(catalog.size);
  let appeared = 0;
  let records = 0;
  let largest = -1;
  for (let i = 0; i < sequences.size; i++)
    for (const item of sequences.itemsOf(i)) {
      if (isSeen[item]) continue;
      isSeen[item] = 1;
      appeared++;
      if (item <= largest) continue;
      largest = item;
      records++;
    }
  return appeared === 0 ? 0 : records / appeared;
}
