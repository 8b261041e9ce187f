/**
 * Here: tables for the terminal, and the report as one HTML file.
 * May use: evaluation and below.
 * Used by: audit, studies, cli.
 */
export {
  formatCount,
  formatDuration,
  formatPoints,
  formatPValue,
  formatRatio,
} from './format.js';
export { renderReport, writeReport } from './report.js';
export type {
  ExpertWeights,
  LossPoint,
  ReportComparison,
  ReportData,
  ReportDataset,
  ReportMethod,
  ShownItem,
  WorkedExample,
} from './report-data.js';
export { type Column, formatEvaluationTable, formatTable } from './table.js';
export { describeComparison, describeMeasuring, describeProtocol } from './wording.js';
