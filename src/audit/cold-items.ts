/**
 * Targets and negatives that never occur in what is for training.
 */
import type { Dataset } from '../data/index.js';
import { isAbove } from './chance.js';
import { type Check, type Finding, outOf, worst } from './finding.js';
import { heldOutSplits, rowsOf, trainCounts } from './rows.js';

const limits = { warning: 0.01, severe: 0.2 };

export const coldItems: Check = {
  id: 'cold-items',
  run(dataset: Dataset): Finding {
    const counts = trainCounts(dataset);
    const splits = Object.fromEntries(
      heldOutSplits.map((split) => {
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
        return [split, found];
      }),
    ) as Record<
      (typeof heldOutSplits)[number],
      Record<'rows' | 'coldTargets' | 'negatives' | 'coldNegatives', number>
    >;
    const items = dataset.catalog.size;
    const seen = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
    const severity = worst(
      heldOutSplits.map((split) => {
        const { coldTargets, rows } = splits[split];
        if (isAbove(coldTargets, rows, limits.severe)) return 'severe';
        return isAbove(coldTargets, rows, limits.warning) ? 'warning' : 'info';
      }),
    );
    const { validation, test } = splits;
    return {
      id: 'cold-items',
      severity,
      isKnown: true,
      figures: { items, itemsInTrain: seen, itemsNotInTrain: items - seen, ...splits },
      figure: `targets never in train: validation ${outOf(validation.coldTargets, validation.rows)}, test ${outOf(test.coldTargets, test.rows)}; train covers ${outOf(seen, items)} items`,
      message:
        severity !== 'info'
          ? 'Methods that know items by id alone cannot find these targets; only titles can.'
          : items > seen
            ? 'Few targets are new; items that train never shows serve as easy negatives.'
            : 'Every item occurs in train.',
      advice:
        severity === 'info'
          ? ''
          : 'Report rows with cold targets apart, or train on more data; --min-item-interactions leaves rare items out.',
    };
  },
};
