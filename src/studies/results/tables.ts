/**
 * Tables of results inside Markdown, between two comments at the beginning of their lines:
 *
 *     <!-- results: movielens protocol=window rows=test,test-wide/5 metrics=hr_at_1,expected_hr_at_1 -->
 *     <!-- /results -->
 *
 * The first word is the name of the result's file. `rows`: splits, with `/n` of up to n rows per user; `test` unless
 * said. `methods`: rows of the table by name; all unless said. A table is of one protocol.
 */
import { formatCount, formatRatio } from '../../analysis/index.js';
import { type Protocol, protocols } from '../../data/index.js';
import { mismatch } from '../../errors/index.js';
import type { ResultFigures } from './document.js';

type MethodFigures = ResultFigures['methods'][number];

/** Columns that a table may have. */
const METRICS = {
  hr_at_1: {
    label: 'HR@1',
    cell: ({ hr_at_1, interval }: MethodFigures) => withInterval(hr_at_1, interval),
  },
  expected_hr_at_1: {
    label: 'expected HR@1',
    cell: ({ expected_hr_at_1, expected_interval }: MethodFigures) =>
      withInterval(expected_hr_at_1, expected_interval),
  },
  ndcg_at_10: { label: 'NDCG@10', cell: (figures: MethodFigures) => ratio(figures.ndcg_at_10) },
  catalog_hr_at_10: {
    label: 'catalog HR@10',
    cell: (figures: MethodFigures) => ratio(figures.catalog_hr_at_10),
  },
  catalog_ndcg_at_10: {
    label: 'catalog NDCG@10',
    cell: (figures: MethodFigures) => ratio(figures.catalog_ndcg_at_10),
  },
  recall_at_50: {
    label: 'recall@50',
    cell: (figures: MethodFigures) => ratio(figures.recall_at_50),
  },
} as const;

type Metric = keyof typeof METRICS;

/** What a comment asks for. */
interface Asked {
  result: string;
  protocol: Protocol;
  rows: readonly { split: string; perUser?: number }[];
  metrics: readonly Metric[];
  methods?: readonly string[];
}

const TABLE = /^(<!-- results: ([^\n]*?) -->\n)([\s\S]*?)^(<!-- \/results -->)/gm;

/**
 * A text with all tables of results as the figures have them; the same text where nothing differs.
 *
 * @param figures by the name of the result
 * @param where   file, for messages
 * @throws IloraError `usage` for a comment that asks for what is not there
 */
export function withTables(
  text: string,
  figures: ReadonlyMap<string, ResultFigures>,
  where: string,
): string {
  return text.replace(TABLE, (_, open: string, asked: string, __, close: string) => {
    return `${open}${tableOf(askedIn(asked, where), figures, where)}\n${close}`;
  });
}

function tableOf(
  { result, protocol, rows, metrics, methods }: Asked,
  figures: ReadonlyMap<string, ResultFigures>,
  where: string,
): string {
  const all = (figures.get(result)?.methods ?? []).filter((one) => one.protocol === protocol);
  const sets = rows.map(({ split, perUser }) => {
    const found = all.filter((one) => one.split === split && one.per_user === perUser);
    if (found.length > 0) return found;
    const got = `${result} ${protocol} ${split}${perUser === undefined ? '' : `/${perUser}`}`;
    throw mismatch('usage', { where, expected: 'a table of rows that a result has', got });
  });
  const names = methods ?? [...new Set(sets.flat().map(({ name }) => name))];
  const areRepeated = sets.flat().some(({ seeds }) => seeds > 1);
  const header = [
    `protocol ${protocol}`,
    ...(areRepeated ? ['seeds'] : []),
    ...sets.flatMap((set) =>
      metrics.map((metric) => `${METRICS[metric].label}, ${formatCount(set[0]!.rows)} rows`),
    ),
  ];
  const lines = names.map((name) => {
    const own = sets.map((set) => set.find((one) => one.name === name));
    const known = own.find((one) => one !== undefined);
    if (known === undefined)
      throw mismatch('usage', { where, expected: `a method of ${result}`, got: name });
    return [
      known.label.replaceAll('|', '\\|'),
      ...(areRepeated ? [String(known.seeds)] : []),
      ...own.flatMap((one) =>
        metrics.map((metric) => (one === undefined ? '–' : METRICS[metric].cell(one))),
      ),
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), `|${'---|'.repeat(header.length)}`, ...lines.map(line)].join('\n');
}

function askedIn(text: string, where: string): Asked {
  const [result = '', ...pairs] = text.trim().split(/\s+/);
  const keys = new Map(pairs.map((pair) => pair.split('=') as [string, string | undefined]));
  const listed = (key: string): string[] | undefined => keys.get(key)?.split(',');
  const protocol = keys.get('protocol') ?? 'window';
  const metrics = listed('metrics') ?? ['hr_at_1', 'expected_hr_at_1', 'ndcg_at_10'];
  const rows = (listed('rows') ?? ['test']).map((set) => {
    const [split = '', perUser] = set.split('/');
    return { split, ...(perUser !== undefined && { perUser: Number(perUser) }) };
  });
  const isKnown =
    [...keys.keys()].every((key) => ['protocol', 'rows', 'metrics', 'methods'].includes(key)) &&
    protocols.includes(protocol as Protocol) &&
    metrics.every((metric) => metric in METRICS);
  if (!isKnown)
    throw mismatch('usage', {
      where: `${where}: results`,
      expected: `NAME protocol=${protocols.join('|')} rows=... methods=... metrics of ${Object.keys(METRICS).join(', ')}`,
      got: text,
    });
  const methods = listed('methods');
  return {
    ...{ result, protocol: protocol as Protocol, rows, metrics: metrics as Metric[] },
    ...(methods && { methods }),
  };
}

const ratio = (value: number | null): string => (value === null ? '–' : formatRatio(value));

const withInterval = (value: number | null, interval: readonly [number, number] | null): string =>
  value === null || interval === null
    ? '–'
    : `${formatRatio(value)} (${interval.map(formatRatio).join('–')})`;
