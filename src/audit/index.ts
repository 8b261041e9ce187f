/**
 * Here: what could make results on a dataset mean something else than they seem to.
 * May use: analysis, evaluation, recommenders and below.
 * Used by: cli.
 */
import type { Dataset } from '../data/index.js';
import { candidateLists } from './candidate-lists.js';
import { candidatePosition } from './candidate-position.js';
import { coldItems } from './cold-items.js';
import type { Check, Finding } from './finding.js';
import { idLeak } from './id-leak.js';
import { oneOrder } from './one-order.js';
import { heavyUsers, testSize } from './sizes.js';
import { splitTime } from './split-time.js';
import { targetInHistory } from './target-in-history.js';
import { timestampTies } from './timestamp-ties.js';
import { duplicateTitles, emptyTitles, oddTitles } from './titles.js';
import { userOverlap } from './user-overlap.js';
import { windowOverlap } from './window-overlap.js';

export { isAbove } from './chance.js';
export {
  type Check,
  type Figures,
  type Finding,
  isAtLeast,
  outOf,
  percent,
  type Severity,
  severities,
  worst,
} from './finding.js';
export { PairTable } from './pair-table.js';

/** All checks that need the data alone. */
export const checks: readonly Check[] = [
  oneOrder,
  timestampTies,
  splitTime,
  userOverlap,
  windowOverlap,
  targetInHistory,
  candidateLists,
  candidatePosition,
  idLeak,
  coldItems,
  duplicateTitles,
  emptyTitles,
  oddTitles,
  testSize,
  heavyUsers,
];

/** Runs all checks that need the data alone. */
export function auditDataset(dataset: Dataset): Finding[] {
  return checks.map((check) => check.run(dataset));
}

export { formatFindings } from './findings-table.js';
export { formatHostileTitles, hostileFinding } from './hostile-finding.js';
export type { HostileOptions, HostileTitles, TitleEffect } from './hostile-titles.js';
export { measureHostileTitles, passesPerRow } from './hostile-titles.js';
export { auditShortcuts, rowsToRank } from './shortcuts.js';
