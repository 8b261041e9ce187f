/**
 * Targets and negatives that never occur in what is for training; whether a split by cold items keeps its word.
 */
import { coldRuleOf, type Dataset } from '../data/index.js';
import { isAbove } from './chance.js';
import { type Check, type Finding, outOf, worst } from './finding.js';
import { heldOutSplits, rowsOf, trainCounts } from './rows.js';

const limits = { warning: 0.01, severe: 0.2 };

type Split = (typeof heldOutSplits)[number];
type Counts = Record<'rows' | 'coldTargets' | 'negatives' | 'coldNegatives', number>;

export const coldItems: Check = {
  id: 'cold-items',
  run(dataset: Dataset): Finding {
    const counts = trainCounts(dataset);
    const splits = Object.fromEntries(
      heldOutSplits.map((split) => [split, countSplit(dataset, split, counts)]),
    ) as Record<Split, Counts>;
    const items = dataset.catalog.size;
    const seen = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    const { validation, test } = splits;
    const leaks = coldRuleOf(dataset.manifest.splitRule) && coldLeaks(dataset, counts);
    return {
      id: 'cold-items',
      isKnown: true,
      figures: {
        items,
        itemsInTrain: seen,
        itemsNotInTrain: items - seen,
        ...splits,
        ...(leaks && { leaks: { ...leaks } }),
      },
      figure: `targets never in train: validation ${outOf(validation.coldTargets, validation.rows)}, test ${outOf(test.coldTargets, test.rows)}; train covers ${outOf(seen, items)} items`,
      ...(leaks === undefined ? judge(splits, items - seen) : judgeColdSplit(leaks)),
    };
  },
};

function countSplit(dataset: Dataset, split: Split, counts: Int32Array): Counts {
  const found = { rows: 0, coldTargets: 0, negatives: 0, coldNegatives: 0 };
  for (const { row, target } of rowsOf(dataset, split)) {
    found.rows++;
    if (counts[target] === 0) found.coldTargets++;
    for (const item of dataset.instance(split, row).candidates) {
      if (item === target) continue;
      found.negatives++;
      if (counts[item] === 0) found.coldNegatives++;
    }
  }
  return found;
}

type Verdict = Pick<Finding, 'severity' | 'message' | 'advice'>;

function judge(splits: Record<Split, Counts>, unseen: number): Verdict {
  const severity = worst(
    heldOutSplits.map((split) => {
      const { coldTargets, rows } = splits[split];
      if (isAbove(coldTargets, rows, limits.severe)) return 'severe';
      return isAbove(coldTargets, rows, limits.warning) ? 'warning' : 'info';
    }),
  );
  if (severity !== 'info')
    return {
      severity,
      message: 'Methods that know items by id alone cannot find these targets; only titles can.',
      advice:
        'Report rows with cold targets apart, or train on more data; --min-item-interactions leaves rare items out.',
    };
  const message =
    unseen > 0
      ? 'Few targets are new; items that train never shows serve as easy negatives.'
      : 'Every item occurs in train.';
  return { severity, message, advice: '' };
}

/** What a split by cold items rules out. */
interface ColdLeaks {
  /** Held-out rows, those of `test-wide` too, whose target occurs in train. */
  warmTargets: number;
  /** Held-out rows with an item in their history, shown or not, that never occurs in train. */
  coldHistories: number;
  /** Items that are targets of validation and of test. */
  sharedTargets: number;
}

function coldLeaks(dataset: Dataset, counts: Int32Array): ColdLeaks {
  const leaks = { warmTargets: 0, coldHistories: 0, sharedTargets: 0 };
  const targets = { validation: new Set<number>(), test: new Set<number>() };
  for (const split of ['validation', 'test', 'test-wide'] as const)
    for (const { sequence, position, target } of rowsOf(dataset, split)) {
      targets[split === 'validation' ? split : 'test'].add(target);
      if (counts[target] !== 0) leaks.warmTargets++;
      const history = dataset.sequences.itemsOf(sequence, 0, position);
      if (history.some((item) => counts[item] === 0)) leaks.coldHistories++;
    }
  for (const item of targets.validation) if (targets.test.has(item)) leaks.sharedTargets++;
  return leaks;
}

function judgeColdSplit({ warmTargets, coldHistories, sharedTargets }: ColdLeaks): Verdict {
  if (warmTargets + coldHistories + sharedTargets === 0)
    return {
      severity: 'info',
      message:
        'By the rule of the split no held-out target occurs in train, and validation and test share none: what knows items by id alone cannot learn them.',
      advice: '',
    };
  return {
    severity: 'severe',
    message: `Not the split by cold items that it says it is: ${warmTargets} rows have a target that occurs in train, ${coldHistories} a history with items that do not, and ${sharedTargets} items are targets of validation and of test.`,
    advice: 'Make it anew with "ilora data cold".',
  };
}
