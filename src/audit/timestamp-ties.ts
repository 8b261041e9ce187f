/**
 * Targets with the time of the last history item: which of the two came first is arbitrary.
 */
import type { Dataset } from '../data/index.js';
import { isAbove } from './chance.js';
import { type Check, type Finding, percent, worst } from './finding.js';
import { auditedSplits, perSplit, rowsOf } from './rows.js';

const limits = { warning: 0.05, severe: 0.25 };

export const timestampTies: Check = {
  id: 'timestamp-ties',
  run(dataset: Dataset): Finding {
    const { sequences } = dataset;
    if (!sequences.hasTimes)
      return {
        id: 'timestamp-ties',
        severity: 'info',
        isKnown: false,
        figures: { hasTimes: false },
        figure: 'no times',
        message:
          'Cannot be told: the dataset has no times, so whether the order is one of time is not known either.',
        advice: 'Import from a source with times if there is one.',
      };
    const counts = perSplit((split) => {
      let tied = 0;
      for (const { sequence, position } of rowsOf(dataset, split)) {
        const times = sequences.timesOf(sequence, position - 1, position + 1)!;
        if (times[0] === times[1]) tied++;
      }
      const rows = dataset.rows(split);
      return { tied, rows, share: rows === 0 ? 0 : tied / rows };
    });
    const isWholeDays = everyTime(dataset, (time) => time % 86_400 === 0);
    const severity = worst(
      auditedSplits.map((split) => {
        const { tied, rows } = counts[split]!;
        if (isAbove(tied, rows, limits.severe)) return 'severe';
        return isAbove(tied, rows, limits.warning) ? 'warning' : 'info';
      }),
    );
    return {
      id: 'timestamp-ties',
      severity,
      isKnown: true,
      figures: { hasTimes: true, isWholeDays, ...counts },
      figure: auditedSplits
        .map(
          (split) =>
            `${split} ${counts[split]!.tied} of ${counts[split]!.rows} (${percent(counts[split]!.share)})`,
        )
        .join(', '),
      message:
        severity === 'info'
          ? 'Few targets have the time of the item before.'
          : `In many rows the target has the same time as the last history item: their order is arbitrary${isWholeDays ? ' (times are whole days)' : ''}, and no method can learn it.`,
      advice:
        severity === 'info'
          ? ''
          : 'Use finer times, or read HR@1 knowing that part of the rows have no right answer.',
    };
  },
};

function everyTime({ sequences }: Dataset, holds: (time: number) => boolean): boolean {
  for (let i = 0; i < sequences.size; i++)
    for (const time of sequences.timesOf(i)!) if (!holds(time)) return false;
  return sequences.interactions > 0;
}
