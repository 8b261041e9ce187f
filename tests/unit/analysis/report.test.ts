import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { compile, type TopLevelSpec } from 'vega-lite';
import { type ReportData, renderReport, writeReport } from '../../../src/analysis/index.js';
import { HOSTILE_TITLES } from '../../support/hostile.js';
import { sampleReport } from './helper.js';

let data: ReportData;
let page: string;
before(async () => {
  data = await sampleReport();
  page = await renderReport(data);
});

test('the page loads nothing and runs nothing', () => {
  const withoutSpecs = page.replace(/<script type="application\/json"[\s\S]*?<\/script>/g, '');
  assert.doesNotMatch(
    withoutSpecs,
    /<script|<link|<img|<iframe|@import|url\((?!#)|\ssrc=|\shref=/i,
  );
  assert.doesNotMatch(withoutSpecs, /\son[a-z]+=/i);
});

test('titles that are markup stay text, in the page and in the specs', () => {
  assert.ok(page.includes('&#60;script&#62;alert(&#34;title&#34;)&#60;/script&#62;'));
  assert.ok(!page.includes('<script>alert'));
  assert.ok(!page.includes('<b>Others'));
});

test('a hostile value anywhere in the report does not get through', async () => {
  const bad = '</script><img src=x onerror=alert(1)>"\'';
  const hostile = await renderReport({
    ...data,
    title: bad,
    summary: bad,
    settings: bad,
    command: bad,
    dataset: { ...data.dataset, name: bad },
    methods: data.methods.map((method, index) => ({ ...method, label: `${bad}${index}` })),
    comparisons: data.comparisons.map((entry) => ({ ...entry, first: bad })),
    expertWeights: [{ user: bad, weights: [1] }],
    examples: [{ user: bad, history: [{ title: bad, details: bad }], candidates: [], gates: [1] }],
    seeds: { [bad]: 1 },
    hashes: { [bad]: bad },
    machine: { [bad]: bad },
    timings: [{ label: bad, seconds: 1 }],
    notes: [bad],
  });
  assert.doesNotMatch(hostile, /<img/i);
});

test('hostile titles and names are shown in the page, not obeyed', async () => {
  const titles = [...HOSTILE_TITLES];
  const shown = await renderReport({
    ...data,
    title: titles.join(' '),
    expertWeights: titles.slice(0, 10).map((user) => ({ user, weights: [0.5, 0.5] })),
    examples: [
      {
        user: titles.join(' '),
        history: titles.map((title) => ({ title, details: 'Comedy · 1995' })),
        candidates: titles.map((title, i) => ({ title, score: -i, isTarget: i === 9 })),
      },
    ],
    timings: titles.map((label) => ({ label, seconds: 1 })),
  });
  assert.doesNotMatch(shown, /[^\P{Control}\n]|\p{Bidi_Control}|[\u2028\u2029]/u);
  assert.ok(shown.includes('\\u001b[2J') && shown.includes('Reversed \\u202eexe.gpj\\u202c name'));
  assert.ok(shown.includes('<small class="details">Comedy · 1995</small>'));
  // Every element and attribute of the page is one the report makes itself.
  const plain = (await renderReport(data)).matchAll(/<([a-z!][\w-]*)|\s([a-z][\w:-]*)=["']/gi);
  const known = new Set([...plain].map(([found]) => found.trim()));
  for (const [found] of shown
    .replace(/>[^<]*</g, '><')
    .matchAll(/<([a-z!][\w-]*)|\s([a-z][\w:-]*)=["']/gi))
    assert.ok(known.has(found.trim()), found);
});

test('the items of a long history are numbered as the user had them', async () => {
  const [example] = data.examples as [NonNullable<typeof data.examples>[number]];
  const long = await renderReport({ ...data, examples: [{ ...example, earlier: 79 }] });
  assert.ok(long.includes('79 earlier ones are not shown.'));
  assert.ok(long.includes('<ol class="history" start="80">'));
  assert.ok(page.includes('<ol class="history" start="1">'));
});

test('every embedded spec reads back and compiles', () => {
  const blocks = [
    ...page.matchAll(/<script type="application\/json" id="([^"]+)">([\s\S]*?)<\/script>/g),
  ];
  assert.deepEqual(
    blocks.map(([, id]) => id),
    [
      'figure-hr_at_1',
      'figure-losses',
      'figure-experts',
      'figure-gates-1',
      'figure-gates-2',
      'figure-gates-3',
      'figure-timings',
    ],
  );
  for (const [, , json] of blocks) {
    const spec = JSON.parse(json!) as TopLevelSpec;
    assert.doesNotMatch(json!, /var\(--/, 'specs hold plain colours');
    assert.ok(compile(spec).spec.marks);
  }
});

test('drawn charts take their colours from the page, so they follow light and dark', () => {
  const charts = page.match(/<svg[\s\S]*?<\/svg>/g)!;
  assert.equal(charts.length, 14, 'seven figures, wide and narrow');
  for (const chart of charts) {
    const fixed = (chart.match(/"#[0-9a-f]{3,6}"/gi) ?? []).filter((colour) => colour !== '"#000"');
    assert.deepEqual(fixed, []);
    assert.doesNotMatch(chart, /(NaN|undefined|Infinity)/);
  }
});

test('the best of a column is marked, and a column of equals has no best', () => {
  const main = /<tr class="main">[\s\S]*?<\/tr>/.exec(page)![0];
  assert.match(main, /data-label="HR@1" class="best"/);
  assert.doesNotMatch(page, /data-label="ValidRatio" class="best"/);
});

test('rows, points per row and frozen candidates are stated', () => {
  assert.match(page, /one row is 1\.05 points/);
  assert.match(page, /Candidates are frozen.*a73b119dfc232ed9/);
});

test('a report of one method alone has no comparison, training, expert or example section', async () => {
  const small = await renderReport({
    ...data,
    methods: [{ ...data.methods[0]!, losses: undefined }],
    comparisons: [],
    expertWeights: undefined,
    examples: undefined,
    timings: [],
  });
  const sections = [...small.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(sections, ['methods', 'notes', 'provenance']);
});

test('two methods of one label are refused, because charts could not tell them apart', async () => {
  const [first, second] = data.methods;
  const methods = [first!, { ...second!, label: first!.label }];
  await assert.rejects(
    renderReport({ ...data, methods }),
    /different labels, got \["iLoRA", "iLoRA"\]/,
  );
});

test('no method is an error; writing leaves one file with the page in it', async () => {
  await assert.rejects(renderReport({ ...data, methods: [] }), /at least one method/);
  const folder = mkdtempSync(join(tmpdir(), 'ilora-report-'));
  try {
    const path = join(folder, 'report.html');
    await writeReport(path, data);
    assert.equal(readFileSync(path, 'utf8'), page);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
