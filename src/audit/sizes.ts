/**
 * How much the figures can carry: number of test rows, train next to test, how few users supply most.
 */
import type { Dataset } from '../data/index.js';
import { type Check, type Finding, percent } from './finding.js';

const limits = { testRows: 100, heavyShare: 0.5 };

/** One test row as a part of HR@1, and whether train is a train set at all. */
export const testSize: Check = {
  id: 'test-size',
  run(dataset: Dataset): Finding {
    const rows = dataset.manifest.counts.rows;
    const users = [...dataset.sequencesOf('train')].length;
    const sample = dataset.manifest.notes.find((note) => /\bsample\b/i.test(note));
    const isFew = rows.test < limits.testRows;
    const isThin = rows.train < rows.test + rows.validation;
    const points = 100 / Math.max(1, rows.test);
    const problems = [
      ...(isFew
        ? [`With ${rows.test} test rows one row moves HR@1 by ${points.toFixed(2)} points.`]
        : []),
      ...(isThin
        ? [
            `Train has fewer rows (${rows.train}) than are held out (${rows.test + rows.validation}).`,
          ]
        : []),
      ...(sample === undefined ? [] : [`The manifest says: ${sample}`]),
    ];
    return {
      id: 'test-size',
      severity: problems.length > 0 ? 'warning' : 'info',
      isKnown: true,
      figures: {
        trainRows: rows.train,
        validationRows: rows.validation,
        testRows: rows.test,
        testWideRows: rows['test-wide'],
        pointsPerTestRow: points,
        trainSequences: users,
        isSample: sample !== undefined,
      },
      figure: `${rows.train} train, ${rows.validation} validation, ${rows.test} test rows; one test row is ${points.toFixed(2)} points of HR@1`,
      message:
        problems.length > 0
          ? problems.join(' ')
          : 'There are enough rows for intervals to be of use.',
      advice:
        problems.length > 0
          ? isThin || sample !== undefined
            ? 'Train on the whole data; do not set results beside published ones.'
            : 'Read intervals, not values; compare on test-wide, clustered by user.'
          : '',
    };
  },
};

/** Share of the train interactions that the longest tenth of the sequences supplies. */
export const heavyUsers: Check = {
  id: 'heavy-users',
  run(dataset: Dataset): Finding {
    const lengths = Array.from(dataset.sequencesOf('train'), ({ items }) => items.length);
    lengths.sort((a, b) => b - a);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const tenth = lengths.slice(0, Math.max(1, Math.round(lengths.length / 10)));
    const share = total === 0 ? 0 : tenth.reduce((sum, length) => sum + length, 0) / total;
    const severity = share >= limits.heavyShare && lengths.length >= 20 ? 'warning' : 'info';
    const median = lengths[lengths.length >> 1] ?? 0;
    return {
      id: 'heavy-users',
      severity,
      isKnown: lengths.length > 0,
      figures: {
        sequences: lengths.length,
        interactions: total,
        shortest: lengths.at(-1) ?? 0,
        median,
        longest: lengths[0] ?? 0,
        shareOfLongestTenth: share,
      },
      figure: `the longest tenth of ${lengths.length} train sequences holds ${percent(share)} of ${total} interactions; lengths ${lengths.at(-1) ?? 0} to ${lengths[0] ?? 0}, median ${median}`,
      message:
        severity === 'info'
          ? 'No few users dominate training.'
          : 'Few users dominate training and decide what is learned.',
      advice: severity === 'info' ? '' : 'Cut long sequences before importing, or weigh users.',
    };
  },
};
