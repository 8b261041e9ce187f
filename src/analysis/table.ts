/** Plain-text tables for the terminal. */
import stringWidth from 'string-width';
import { visible } from '../errors/index.js';
import { type Evaluation, type MetricName, metricLabel } from '../evaluation/index.js';
import { formatCount, formatDuration, formatRatio } from './format.js';

export interface Column {
  header: string;
  /** Numbers read best from the right; text from the left. */
  align?: 'left' | 'right';
}

/**
 * Aligns cells under their headers, with a light rule below; no trailing blanks, no final line break.
 * Control and direction characters in cells are shown instead of obeyed.
 *
 * @param given  one cell per column; missing cells are empty
 */
export function formatTable(
  columns: readonly Column[],
  given: readonly (readonly string[])[],
): string {
  const rows = given.map((cells) => cells.map(visible));
  const headers = columns.map(({ header }) => header);
  const widths = columns.map((_, index) =>
    Math.max(...[headers, ...rows].map((cells) => stringWidth(cells[index] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? '';
        const padding = ' '.repeat(widths[index]! - stringWidth(cell));
        return align === 'right' ? padding + cell : cell + padding;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [line(headers), rule, ...rows.map(line)].join('\n');
}

/** The metrics of `formatEvaluationTable` after HR@1. */
const TABLE_METRICS: readonly MetricName[] = ['valid_ratio', 'ndcg_at_10', 'mrr'];

/**
 * One line per method: HR@1 with its 95% interval and counts, ValidRatio, NDCG@10, MRR, trained
 * parameters and time per row. A dash marks what a method cannot tell.
 */
export function formatEvaluationTable(evaluations: readonly Evaluation[]): string {
  const columns: Column[] = [
    { header: 'method' },
    { header: 'HR@1', align: 'right' },
    { header: '95% interval' },
    { header: 'hits', align: 'right' },
    ...TABLE_METRICS.map((name): Column => ({ header: metricLabel(name), align: 'right' })),
    { header: 'parameters', align: 'right' },
    { header: 'per row', align: 'right' },
  ];
  return formatTable(
    columns,
    evaluations.map(({ method, metrics, trainableParameters, seconds, numRows }) => [
      method,
      formatRatio(metrics.hr_at_1.value),
      `${formatRatio(metrics.hr_at_1.low)}–${formatRatio(metrics.hr_at_1.high)}`,
      `${metrics.hr_at_1.count}/${metrics.hr_at_1.total}`,
      ...TABLE_METRICS.map((name) => {
        const figure = metrics[name];
        return figure === undefined ? '–' : formatRatio(figure.value);
      }),
      formatCount(trainableParameters),
      formatDuration(seconds / numRows),
    ]),
  );
}
