/** A study over seeds, variants and protocols: its figures, its result file, and reckoning them again from that. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, test } from 'node:test';
import { formatEvaluationTable } from '../../../src/analysis/index.js';
import { DOCUMENTS } from '../../../src/cli/documents.js';
import { writeDataset } from '../../../src/data/index.js';
import {
  checkResults,
  figuresOf,
  type Results,
  readResults,
  resultsOf,
  resultsText,
  runStudy,
  runStudyMethod,
  type Study,
  type StudyHooks,
  type StudyResult,
  studySettings,
  withTables,
  writeFigures,
} from '../../../src/studies/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { tinyDraft } from '../data/helper.js';

const folder = temporaryFolder();
const data = join(folder, 'data');
const out = join(folder, 'study');

/** Five more test users, who come back to what they have had. */
function draft() {
  const made = tinyDraft();
  for (let user = 0; user < 5; user++) {
    const items = Array.from({ length: 24 }, (_, i) => (i * (user + 2) + user) % (20 + user));
    made.sequences.add(
      `t${user}`,
      items,
      items.map((_, i) => 1000 + i),
    );
    made.test.add({ sequence: 4 + user, first: 23, last: 23 });
  }
  return made;
}

const hooks = (): StudyHooks => ({
  signal: new AbortController().signal,
  note: () => {},
  progress: () => ({ update: () => {}, end: () => {} }),
  run: { score: async () => ({ expected_hr_at_1: 0.5 }) },
});

const study: Study = {
  title: 'tiny',
  settings: studySettings(
    {
      data,
      out,
      seeds: [1, 2],
      protocols: ['window', 'history'],
      methods: ['popularity', 'sasrec'],
      sasrec: { width: 8, blocks: 1, epochs: 1 },
      variants: {
        gru: {
          method: 'gru4rec',
          label: 'GRU',
          protocols: ['window'],
          gru4rec: { width: 8, epochs: 1 },
        },
      },
      main: 'sasrec',
      pairs: [['gru', 'popularity']],
    },
    'test',
  ),
  wideRowsPerUser: 3,
  command: 'test',
};

let result: StudyResult;
let results: Results;
before(async () => {
  await writeDataset(data, draft(), { candidateCount: 5 });
  await runStudyMethod(study, 'sasrec-seed-2', hooks());
  result = await runStudy(study, hooks());
  results = resultsOf(study, result, { commit: 'abc' });
});

test('every variant, seed and protocol has a run or an evaluation of its own', () => {
  const folders = readdirSync(out).filter((name) => !/evaluations|report/.test(name));
  assert.deepEqual(folders.sort(), [
    ...['gru-seed-1', 'gru-seed-2', 'popularity', 'sasrec-seed-1', 'sasrec-seed-2'],
  ]);
  assert.deepEqual(
    readdirSync(out).filter((name) => name.startsWith('report')),
    ['report-history.html', 'report.html'],
  );
  assert.deepEqual(
    result.sections.map(({ protocol, split, perUser, evaluations }) => [
      ...[protocol, split, perUser, evaluations[0]!.numRows],
      evaluations.map(({ method, runs }) => `${method} ${runs ?? 1}`),
    ]),
    [
      ['window', 'test', undefined, 6, ['popularity 1', 'sasrec 2', 'gru 2']],
      ['window', 'test-wide', undefined, 120, ['popularity 1', 'sasrec 2', 'gru 2']],
      ['window', 'test-wide', 3, 18, ['popularity 1', 'sasrec 2', 'gru 2']],
      ['history', 'test', undefined, 6, ['popularity 1', 'sasrec 2']],
      ['history', 'test-wide', undefined, 120, ['popularity 1', 'sasrec 2']],
      ['history', 'test-wide', 3, 18, ['popularity 1', 'sasrec 2']],
    ],
  );
});

test('figures are means over seeds, and the spread between them is said', () => {
  const { evaluations, comparisons } = result.sections[1]!;
  const sasrec = evaluations[1]!;
  const values = result.methods[1]!.runs.map(
    ({ measured }) => measured[1]!.evaluation.metrics.expected_hr_at_1!.value,
  );
  assert.equal(new Set(values).size, 2, 'seeds differ');
  const [one, two] = values as [number, number];
  assert.ok(Math.abs(sasrec.metrics.expected_hr_at_1!.value - (one + two) / 2) < 1e-12);
  assert.ok(Math.abs(sasrec.spread!.expected_hr_at_1! - Math.abs(one - two) / Math.SQRT2) < 1e-12);
  assert.equal(sasrec.metrics.hr_at_1.interval, 'bootstrap');
  assert.deepEqual(comparisons[0]!.methods, ['sasrec', 'gru'], 'the best other one stands first');
  const { runs, test, methods } = comparisons.find((each) => each.methods[1] === 'popularity')!;
  assert.deepEqual([runs, test, methods], [[2, 1], 'sign-flip', ['sasrec', 'popularity']]);
  assert.deepEqual(comparisons.at(-1)!.methods, ['gru', 'popularity'], 'a pair that was asked for');
  assert.equal(result.sections[4]!.comparisons.length, 1, 'a pair needs figures of both');
  assert.match(formatEvaluationTable(evaluations), /seeds .*\n.*\n.*\nsasrec .* 2, ±0\.\d{3} /);
});

test('in history the filter took out something, and rows of some users are the ones of all', () => {
  const [, , , , whole, some] = result.sections.map(({ evaluations }) => evaluations[1]!);
  assert.ok(whole!.filter!.candidates > 0 && whole!.filter!.targets > 0);
  assert.ok(some!.filter!.candidates <= whole!.filter!.candidates);
  for (const outcome of some!.outcomes)
    assert.deepEqual(
      outcome,
      whole!.outcomes.find(({ row }) => row === outcome.row),
    );
});

test('the rows of a result give the very figures of the study', () => {
  const { methods, comparisons } = figuresOf(results, 'tiny');
  const flat = result.sections.flatMap(({ evaluations }) => evaluations);
  assert.deepEqual(
    methods.map(
      ({ name, hr_at_1, interval, expected_hr_at_1, ndcg_at_10, recall_at_50, spread }) => [
        ...[name, hr_at_1, interval, expected_hr_at_1, ndcg_at_10, recall_at_50, spread],
      ],
    ),
    flat.map(({ method, metrics, spread }) => [
      ...[method, metrics.hr_at_1.value, [metrics.hr_at_1.low, metrics.hr_at_1.high]],
      ...[metrics.expected_hr_at_1!.value, metrics.ndcg_at_10!.value],
      ...[metrics.recall_at_50!.value, spread?.hr_at_1],
    ]),
  );
  assert.deepEqual(
    comparisons.map(({ first, second, hr_at_1, expected_hr_at_1 }) => [
      ...[first, second, hr_at_1.value, hr_at_1.p_value, expected_hr_at_1!.adjusted_p_value],
    ]),
    result.sections
      .flatMap((section) => section.comparisons)
      .map(({ methods, differences, pValue, expected }) => [
        ...[...methods, differences.hr_at_1.value, pValue, expected!.adjustedPValue],
      ]),
  );
});

test('a result file is small, says where nothing lay, and is read as it was written', () => {
  const path = join(folder, 'tiny.json');
  writeFileSync(path, resultsText(results));
  assert.deepEqual(readResults(path), JSON.parse(JSON.stringify(results)));
  const text = readFileSync(path, 'utf8');
  assert.ok(!text.includes(folder), 'no path of this machine');
  assert.match(text, /\n +"places": \[[\d,]+\],\n/);
  assert.equal(results.rows.length, 4);
  assert.deepEqual(results.methods[1]!.runs[1]!.settings.sasrec, {
    ...(results.methods[1]!.runs[0]!.settings.sasrec as object),
  });
});

test('a damaged result file names every fault', () => {
  const path = join(folder, 'damaged.json');
  const damaged = structuredClone(results);
  damaged.main = 'nobody';
  damaged.rows[0]!.user.pop();
  damaged.methods[1]!.runs[0]!.evaluations[0]!.places[2] = 6;
  damaged.methods[1]!.runs[1]!.evaluations[0]!.rivals![0] = 99;
  writeFileSync(path, JSON.stringify(damaged));
  assert.throws(() => readResults(path), {
    code: 'format',
    message:
      /4 problems\n {2}rows\.0: expected lists of 6 rows\n {2}main: expected the name of a method\n {2}sasrec, seed 1, window, test: places: expected numbers up to 5\n {2}sasrec, seed 2, window, test: rivals: expected no more than the row's pool/,
  });
  writeFileSync(path, '{"format": "ilora-results-2"}');
  assert.throws(() => readResults(path), { code: 'format' });
});

const OPEN =
  '<!-- results: tiny rows=test,test-wide/3 metrics=hr_at_1,recall_at_50 methods=sasrec,gru -->';

/** A repository with a result and a page that shows it. */
function repository(): { root: string; results: string; docs: string[] } {
  const root = temporaryFolder();
  const places = { results: join(root, 'runs', 'results'), docs: [join(root, 'README.md')] };
  mkdirSync(places.results, { recursive: true });
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(places.results, 'tiny.json'), resultsText(results));
  writeFileSync(join(root, 'README.md'), `# Tiny\n\n${OPEN}\nold\n<!-- /results -->\n\nend\n`);
  return { root, ...places };
}

test('a table of the docs is written from the rows, and held against them', () => {
  const { root, ...places } = repository();
  const page = join(root, 'README.md');
  assert.deepEqual(checkResults(places).problems, [
    `${page}: its tables of results are others than the rows give`,
  ]);
  const file = join(places.results, 'tiny.json');
  assert.deepEqual(writeFigures(places), [file, page]);
  assert.deepEqual(checkResults(places).problems, []);
  assert.deepEqual(writeFigures(places), [], 'nothing is left to write');
  const lines = readFileSync(page, 'utf8').split('\n');
  assert.deepEqual([lines[0], lines[2], lines.at(-2)], ['# Tiny', OPEN, 'end']);
  assert.equal(
    lines[3],
    '| protocol window | seeds | HR@1, 6 rows | recall@50, 6 rows | HR@1, 18 rows | recall@50, 18 rows |',
  );
  assert.match(lines[5]!, /^\| SASRec \| 2 \| 0\.\d{3} \(0\.\d{3}–[01]\.\d{3}\) \| 1\.000 \|/);
  assert.match(lines[6]!, /^\| GRU \| 2 \|/);
});

test('a changed outcome and a changed figure are found', () => {
  const { root: _, ...places } = repository();
  writeFigures(places);
  const file = join(places.results, 'tiny.json');
  const written = readFileSync(file, 'utf8');
  const changed = JSON.parse(written) as Results;
  changed.figures!.methods[0]!.hr_at_1 += 1e-6;
  writeFileSync(file, JSON.stringify(changed));
  const { problems } = checkResults(places);
  assert.equal(problems.length, 1);
  assert.match(
    problems[0]!,
    /tiny\.json: methods: 0: hr_at_1: expected 0\.?\d*, which the rows give/,
  );
  const outcome = JSON.parse(written) as Results;
  const { places: own } = outcome.methods[1]!.runs[0]!.evaluations[0]!;
  own[0] = own[0] === 1 ? 2 : 1;
  writeFileSync(file, JSON.stringify(outcome));
  assert.ok(checkResults(places).problems.length > 1);
});

test('comments that ask for what is not there are refused', () => {
  const figures = new Map([['tiny', figuresOf(results, 'tiny')]]);
  const wrong: [string, RegExp][] = [
    ['other', /a table of rows that a result has, got "other window test"/],
    ['tiny protocol=history rows=test/2', /got "tiny history test\/2"/],
    ['tiny methods=gru protocol=history', /expected a method of tiny, got "gru"/],
    ['tiny metrics=luck', /metrics of hr_at_1, expected_hr_at_1/],
    ['tiny colour=red', /results: expected NAME protocol=window\|history/],
    ['tiny protocol=both', /results: expected NAME protocol=window\|history/],
  ];
  for (const [asked, message] of wrong)
    assert.throws(
      () => withTables(`<!-- results: ${asked} -->\n<!-- /results -->`, figures, 'x.md'),
      { code: 'usage', message },
    );
  for (const text of ['no comment', '    <!-- results: other -->\n    <!-- /results -->'])
    assert.equal(withTables(text, figures, 'x.md'), text);
});

test('the command checks, writes, and fails where there is a difference or nothing', () => {
  const { root, results: place } = repository();
  const script = resolve(import.meta.dirname, '../../../scripts/results.ts');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', script, '--root', root, ...args], {
      encoding: 'utf8',
    });
  const stale = run('--check', '--json');
  assert.equal(stale.status, 1, stale.stderr);
  assert.equal(JSON.parse(stale.stdout).ok, false);
  const written = run('--write', '--check', '--json');
  assert.equal(written.status, 0, written.stderr);
  const document = JSON.parse(written.stdout);
  assert.equal(DOCUMENTS['results-check'].safeParse(document).error?.message, undefined);
  assert.deepEqual(
    [document.ok, document.methods[0].name, document.methods[0].rows],
    [true, 'popularity', 6],
  );
  execFileSync('rm', ['-r', place]);
  const nothing = run('--check', '--json');
  assert.deepEqual([nothing.status, JSON.parse(nothing.stdout).ok], [1, false]);
  assert.match(nothing.stdout, /expected files that `ilora study --result` wrote, got \\"none\\"/);
});
