/** Plain-text tables for the terminal. */
import stringWidth from 'string-width';
import { visible } from '../errors/index.js';
import {
  type Estimate,
  type Evaluation,
  type MetricName,
  metricLabel,
} from '../evaluation/index.js';
import { formatCount, formatDuration, formatHits, formatRatio } from './format.js';
import { describeProtocol, protocolOf } from './wording.js';

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

/** The metrics of `formatEvaluationTable` after HR@1; a column of which no method can tell anything is left out. */
const TABLE_METRICS: readonly MetricName[] = [
  'expected_hr_at_1',
  'ndcg_at_10',
  'mrr',
  'valid_ratio',
  'catalog_hr_at_10',
  'catalog_ndcg_at_10',
  'recall_at_50',
];

/**
 * A line with the protocol, then one per method: HR@1 of the frozen candidates with its 95% interval and counts,
 * seeds where there are several, expected HR@1 with its interval, further metrics, trained parameters and time per row. A dash marks what a method
 * cannot tell.
 *
 * @throws IloraError `data` for evaluations of several protocols, whose figures share no column
 */
export function formatEvaluationTable(evaluations: readonly Evaluation[]): string {
  const protocol = protocolOf(evaluations, 'table');
  const generates = evaluations.some(({ mode }) => mode === 'generation');
  const shown = TABLE_METRICS.filter((name) =>
    name === 'valid_ratio' ? generates : evaluations.some(({ metrics }) => metrics[name]),
  );
  const areRepeated = evaluations.some(({ runs }) => runs !== undefined);
  const columns: Column[] = [
    { header: 'method' },
    { header: 'HR@1', align: 'right' },
    { header: '95% interval' },
    { header: 'hits', align: 'right' },
    ...(areRepeated ? [{ header: 'seeds' }] : []),
    ...shown.flatMap((name): Column[] => [
      { header: metricLabel(name), align: 'right' },
      ...(name === 'expected_hr_at_1' ? [{ header: '95% interval' }] : []),
    ]),
    { header: 'parameters', align: 'right' },
    { header: 'per row', align: 'right' },
  ];
  const table = formatTable(
    columns,
    evaluations.map(({ method, metrics, trainableParameters, seconds, numRows, ...rest }) => [
      method,
      formatRatio(metrics.hr_at_1.value),
      intervalOf(metrics.hr_at_1),
      `${formatHits(metrics.hr_at_1.count)}/${metrics.hr_at_1.total}`,
      ...(areRepeated ? [seedsOf(rest)] : []),
      ...shown.flatMap((name) => {
        const figure = metrics[name];
        const value = figure === undefined ? '–' : formatRatio(figure.value);
        return name === 'expected_hr_at_1' ? [value, figure ? intervalOf(figure) : '–'] : [value];
      }),
      formatCount(trainableParameters),
      formatDuration(seconds / numRows),
    ]),
  );
  return `${describeProtocol(protocol)}\n${table}`;
}

/** `3, ±0.012`: how many seeds, and the standard deviation of HR@1 between them. */
const seedsOf = ({ runs = 1, spread }: Pick<Evaluation, 'runs' | 'spread'>): string =>
  spread?.hr_at_1 === undefined ? `${runs}` : `${runs}, ±${formatRatio(spread.hr_at_1)}`;

const intervalOf = ({ low, high }: Estimate): string => `${formatRatio(low)}–${formatRatio(high)}`;
