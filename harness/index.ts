/**
 * Here: what commands that prove or time share: flags, folders, processes, needs, figures, the document at the end.
 * May use: src, and the launcher's environment in bin.
 * Used by: prove, bench. Children whose memory is measured import the one file they need.
 */
export { type ChildOptions, type Ended, lastLine, runNode } from './child.js';
export { noteOnStderr, type Outcome, runCommand, UsageError, wholeNumber } from './command.js';
export {
  alternate,
  Contestant,
  type Entry,
  type Launch,
  startAll,
  stopAll,
} from './contestant.js';
export { inFolder } from './folder.js';
export { familyOf, forgetPeak, peakBytes, processorSeconds, residentBytes } from './kernel.js';
export { checkNeeds, type Need, prepareNeeds } from './need.js';
export { commit, place, ROOT } from './place.js';
export { environment, program } from './program.js';
export {
  median,
  quantile,
  type Ratio,
  ratio,
  relativeDifference,
  round,
  rounded,
  type Spread,
  slope,
  spread,
} from './statistics.js';
export { lines, table } from './table.js';
