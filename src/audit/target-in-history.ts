/**
 * Targets that stand in the history shown. Negatives are drawn outside the history, so such a target
 * is the only candidate in it: looking is enough.
 */
import type { Dataset } from '../data/index.js';
import { type Check, type Finding, outOf, worst } from './finding.js';
import { auditedSplits, perSplit, rowsOf } from './rows.js';

const severeFrom = 0.01;

export const targetInHistory: Check = {
  id: 'target-in-history',
  run(dataset: Dataset): Finding {
    const { sequences } = dataset;
    const counts = perSplit((split) => {
      const found = { rows: 0, shown: 0, last: 0, earlier: 0, historyRepeats: 0 };
      for (const { sequence, position, history, target } of rowsOf(dataset, split)) {
        found.rows++;
        if (history.includes(target)) found.shown++;
        else if (sequences.itemsOf(sequence, 0, position - history.length).includes(target))
          found.earlier++;
        if (history.at(-1) === target) found.last++;
        if (new Set(history).size < history.length) found.historyRepeats++;
      }
      return found;
    });
    const severity = worst(
      auditedSplits.map((split) => {
        const { shown, rows } = counts[split]!;
        if (shown === 0) return 'info';
        return split !== 'train' && shown >= severeFrom * rows ? 'severe' : 'warning';
      }),
    );
    return {
      id: 'target-in-history',
      severity,
      isKnown: true,
      figures: counts,
      figure: auditedSplits
        .map((split) => `${split} ${outOf(counts[split]!.shown, counts[split]!.rows)}`)
        .join(', '),
      message:
        severity === 'info'
          ? 'No target stands in the history shown.'
          : 'The target is already in the history shown; as no negative is, choosing the candidate that stands in the history is always right.',
      advice:
        severity === 'info'
          ? ''
          : 'Leave repeated interactions out, or ask about new items only; where buying again is the question, draw negatives from the history too.',
    };
  },
};
