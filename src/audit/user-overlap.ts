/**
 * Users on both sides of a split. By design where sequences are split inside (by time, leave one
 * out); then no held-out target may stand in what is trained on. Where users are split, one user on
 * both sides is a leak.
 */
import type { Dataset } from '../data/index.js';
import { type Check, type Finding, outOf } from './finding.js';
import { heldOutSplits, namesUsers, rowsOf, sequencesIn, userRule } from './rows.js';

export const userOverlap: Check = {
  id: 'user-overlap',
  run(dataset: Dataset): Finding {
    const { sequences } = dataset;
    const trainEnd = new Map<number, number>();
    for (const { sequence, position } of rowsOf(dataset, 'train'))
      trainEnd.set(sequence, Math.max(position, trainEnd.get(sequence) ?? -1));
    const trainUsers = new Set(Array.from(trainEnd.keys(), (i) => sequences.user(i)));
    const heldOut = new Set<string>();
    let trainedOn = 0;
    let rows = 0;
    for (const split of heldOutSplits) {
      for (const i of sequencesIn(dataset, split)) heldOut.add(sequences.user(i));
      for (const { sequence, position } of rowsOf(dataset, split)) {
        rows++;
        if (position <= (trainEnd.get(sequence) ?? -1)) trainedOn++;
      }
    }
    const shared = [...heldOut].filter((user) => trainUsers.has(user)).length;
    const { rule } = userRule(dataset);
    const isInside = rule === 'by-time' || rule === 'leave-one-out';
    const isKnown = namesUsers(dataset) || trainedOn > 0;
    const severity =
      trainedOn > 0 || (rule === 'by-user' && shared > 0)
        ? 'severe'
        : shared > 0 && !isInside
          ? 'warning'
          : 'info';
    const figures = {
      rule,
      heldOutUsers: heldOut.size,
      sharedUsers: isKnown ? shared : null,
      heldOutTargetsTrainedOn: trainedOn,
      heldOutRows: rows,
    };
    return {
      id: 'user-overlap',
      severity,
      isKnown,
      figures,
      figure: isKnown
        ? `${outOf(shared, heldOut.size)} held-out users also in train${trainedOn > 0 ? `; ${trainedOn} held-out targets inside what is trained on` : ''}`
        : 'users are not named',
      message: describe({ isKnown, trainedOn, shared, isInside }),
      advice:
        severity === 'info'
          ? ''
          : 'Split again: whole users to one side, or each sequence at one place with training before it.',
    };
  },
};

function describe(found: {
  isKnown: boolean;
  trainedOn: number;
  shared: number;
  isInside: boolean;
}): string {
  if (!found.isKnown)
    return 'Cannot be told: the published rows do not say whose they are; identical windows are looked for instead.';
  if (found.trainedOn > 0) return 'Held-out targets lie inside the sequences that are trained on.';
  if (found.shared === 0) return 'No user is on both sides.';
  return found.isInside
    ? 'Users are on both sides by the rule of the split; training ends before their held-out targets.'
    : 'The same users are in train and held out: results do not hold for new users.';
}
