/** The audit's parts that need recommenders or a run: shortcuts, hostile titles, tables. */
export { formatFindings } from './findings-table.js';
export { formatHostileTitles, hostileFinding } from './hostile-finding.js';
export {
  type HostileOptions,
  type HostileTitles,
  measureHostileTitles,
  passesPerRow,
  type TitleEffect,
} from './hostile-titles.js';
export { auditShortcuts, rowsToRank } from './shortcuts.js';
