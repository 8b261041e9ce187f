/**
 * Reckons the committed results again, from the outcomes of their rows; nothing is trained.
 *
 * `npm run --silent results:movielens -- [--check] [--write] [--json]`
 *
 * --check  compares with the figures in the files and with the tables in README.md and docs/; exit 1 if one differs
 * --write  writes both anew
 * --json   one JSON document
 */
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatRatio, formatTable } from '../src/analysis/index.js';
import { IloraError } from '../src/errors/index.js';
import { type CheckedResults, checkResults, writeFigures } from '../src/studies/index.js';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    root: { type: 'string', default: resolve(import.meta.dirname, '..') },
  },
});

const root = values.root;
const docs = join(root, 'docs');
const places = {
  results: join(root, 'runs', 'results'),
  docs: [
    join(root, 'README.md'),
    ...readdirSync(docs)
      .filter((file) => file.endsWith('.md'))
      .map((file) => join(docs, file)),
  ],
};

try {
  if (values.write)
    for (const file of writeFigures(places)) console.error(`wrote ${relative(root, file)}`);
  const { problems, ...figures } = checkResults(places);
  const ok = !values.check || problems.length === 0;
  if (values.json) console.log(JSON.stringify({ ok, problems, ...figures }));
  else {
    console.log(table(figures.methods));
    for (const line of values.check ? problems : []) console.log(line);
  }
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  if (!(error instanceof IloraError)) throw error;
  if (values.json)
    console.log(
      JSON.stringify({ ok: false, problems: [error.message], methods: [], comparisons: [] }),
    );
  else console.error(error.message);
  process.exitCode = 1;
}

function table(methods: CheckedResults['methods']): string {
  const ratio = (value: number | null): string => (value === null ? '–' : formatRatio(value));
  return formatTable(
    [
      ...['result', 'protocol', 'rows', 'method'].map((header) => ({ header })),
      ...['seeds', 'HR@1'].map((header) => ({ header, align: 'right' as const })),
      { header: '95% interval' },
      ...['expected HR@1', 'NDCG@10'].map((header) => ({ header, align: 'right' as const })),
    ],
    methods.map((one) => [
      one.result,
      one.protocol,
      `${one.rows} of ${one.split}`,
      one.name,
      String(one.seeds),
      formatRatio(one.hr_at_1),
      one.interval.map(formatRatio).join('–'),
      ratio(one.expected_hr_at_1),
      formatRatio(one.ndcg_at_10),
    ]),
  );
}
