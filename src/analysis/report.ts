/**
 * The report: one HTML file that needs no network, no script and no other file.
 */

import type { Protocol } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import { type Estimate, type MetricName, metricLabel } from '../evaluation/index.js';
import { writeFileAtomic } from '../files/index.js';
import { expertHeatMap, forestPlot, gateBars, lossCurves, timingBars } from './charts.js';
import { type DrawnFigure, draw, type Figure } from './figure.js';
import {
  formatCount,
  formatDuration,
  formatHits,
  formatPoints,
  formatPValue,
  formatRatio,
} from './format.js';
import { type Html, html, jsonBlock, trustedHtml } from './html.js';
import type { ReportData, ShownItem, WorkedExample } from './report-data.js';
import { STYLE } from './theme.js';
import {
  describeComparison,
  mainMethod,
  protocolOf,
  readingNotes,
  summarise,
  verdict,
} from './wording.js';

/** Rows of the heat map. */
const MAX_USERS = 10;
/** Candidates shown of a worked example, beside the target. */
const MAX_CANDIDATES = 8;

/**
 * Writes the report.
 *
 * @param path  of the HTML file; replaced as a whole or not at all
 */
export async function writeReport(path: string, data: ReportData): Promise<void> {
  writeFileAtomic(path, await renderReport(data));
}

/** The report as HTML text. */
export async function renderReport(data: ReportData): Promise<string> {
  if (data.methods.length === 0)
    throw mismatch('data', { where: 'report', expected: 'at least one method', got: 0 });
  const labels = data.methods.map(({ label }) => label);
  if (new Set(labels).size < labels.length)
    throw mismatch('data', {
      where: 'report',
      expected: 'methods of different labels',
      got: labels,
    });
  const drawn: DrawnFigure[] = [];
  const show = async (figure: Figure, caption?: Html): Promise<Html> => {
    const done = await draw(figure);
    drawn.push(done);
    return html`<figure>${caption === undefined ? undefined : html`<figcaption>${caption}</figcaption>`}
      <div class="wide-only" role="img" aria-label="${done.description}">${trustedHtml(done.wide)}</div><div class="narrow" role="img" aria-label="${done.description}">${trustedHtml(done.narrow)}</div></figure>`;
  };
  const sections = [
    await methodSection(data, show),
    comparisonSection(data),
    await lossSection(data, show),
    await expertSection(data, show),
    await exampleSection(data, show),
    notesSection(data),
    await provenanceSection(data, show),
  ];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${data.title}</title>
<style>${trustedHtml(STYLE)}</style>
</head>
<body>
${headerOf(data)}
<main>
${sections}
</main>
<footer><p>Made by ilora on ${formatDate(data.createdAt)}. Every chart's vega-lite spec, with its data, is in this file as JSON
(<code>${drawn.map(({ id }) => id).join(', ')}</code>); any vega-lite editor draws it again.</p></footer>
${drawn.map(({ id, spec }) => jsonBlock(id, spec))}
</body>
</html>
`;
  return page.text;
}

/** @throws IloraError `data` where methods are of several protocols */
const protocolIn = ({ methods }: ReportData): Protocol =>
  protocolOf(
    methods.map(({ evaluation }) => evaluation),
    'report',
  );

type Show = (figure: Figure, caption?: Html) => Promise<Html>;

function headerOf(data: ReportData): Html {
  const { dataset } = data;
  const main = mainMethod(data);
  const { hr_at_1 } = main.evaluation.metrics;
  const [comparison] = data.comparisons;
  const protocol = protocolIn(data);
  const eyebrow = `${dataset.name} · ${dataset.split} split · protocol ${protocol} · ${formatDate(data.createdAt)}`;
  return html`<header class="top">
<p class="eyebrow">${eyebrow}</p>
<h1>${data.title}</h1>
<p class="summary">${data.summary ?? summarise(data)}</p>
<dl class="tiles">
${tile(`HR@1 of ${main.label}`, formatRatio(hr_at_1.value), `95%: ${interval(hr_at_1)}`, 'main')}
${
  comparison === undefined
    ? undefined
    : tile(
        `${comparison.first} − ${comparison.second}`,
        `${formatPoints(comparison.comparison.differences.hr_at_1.value)} pts`,
        `${formatPValue(comparison.comparison.adjustedPValue ?? comparison.comparison.pValue)}, ${verdict(comparison)}`,
      )
}
${tile('Rows scored', formatCount(main.evaluation.numRows), `${dataset.numCandidates} candidates each`)}
${tile('Trained parameters', compactCount(main.evaluation.trainableParameters), main.trainSeconds === undefined ? '' : `in ${formatDuration(main.trainSeconds)}`)}
</dl>
</header>`;
}

function tile(label: string, value: string, detail: string, kind = ''): Html {
  return html`<div class="${kind}"><dt>${label}</dt><dd>${value}<small>${detail}</small></dd></div>`;
}

/** Columns of the methods' table; one that tells nothing of any method is left out. */
const COLUMNS: readonly MetricName[] = [
  'hr_at_1',
  'expected_hr_at_1',
  'valid_ratio',
  'ndcg_at_10',
  'mrr',
];

async function methodSection(data: ReportData, show: Show): Promise<Html> {
  const generates = data.methods.some(({ evaluation }) => evaluation.mode === 'generation');
  const metrics = COLUMNS.filter((name) =>
    name === 'valid_ratio'
      ? generates
      : data.methods.some(({ evaluation }) => evaluation.metrics[name] !== undefined),
  );
  const methods = data.methods.toSorted(
    (a, b) => b.evaluation.metrics.hr_at_1.value - a.evaluation.metrics.hr_at_1.value,
  );
  const best = new Map(
    metrics.map((name) => [
      name,
      Math.max(...methods.map(({ evaluation }) => evaluation.metrics[name]?.value ?? -1)),
    ]),
  );
  // A column in which all are alike has no best.
  const isBest = (name: MetricName, value: number) =>
    value === best.get(name) &&
    methods.some(({ evaluation }) => (evaluation.metrics[name]?.value ?? -1) < value);
  const metricCell = (name: MetricName, figure: Estimate | undefined) =>
    figure === undefined
      ? html`<td data-label="${metricLabel(name)}">–</td>`
      : html`<td data-label="${metricLabel(name)}"${isBest(name, figure.value) ? trustedHtml(' class="best"') : undefined}>${formatRatio(figure.value)}${
          name === 'valid_ratio' && figure.value === 1
            ? undefined
            : html`<small>${interval(figure)}</small>`
        }</td>`;
  const rows = methods.map(
    (
      method,
    ) => html`<tr class="${method.isMain === true ? 'main' : ''}"><th scope="row">${method.label}</th>
${metrics.map((name) => metricCell(name, method.evaluation.metrics[name]))}
<td data-label="Hits / rows" class="nowrap">${formatHits(method.evaluation.metrics.hr_at_1.count)} / ${formatCount(method.evaluation.numRows)}</td>
<td data-label="Trained parameters">${formatCount(method.evaluation.trainableParameters)}</td>
<td data-label="Training" class="nowrap">${method.trainSeconds === undefined ? '–' : formatDuration(method.trainSeconds)}</td>
<td data-label="Per row" class="nowrap">${formatDuration(method.evaluation.seconds / method.evaluation.numRows)}</td></tr>`,
  );
  return html`<section id="methods"><h2>Methods</h2>
<p class="lead">Every method ranks the same candidates of the same rows, simple counts included.</p>
<div class="scroll"><table class="stack"><thead><tr><th scope="col">Method</th>${metrics.map((name) => html`<th scope="col">${metricLabel(name)}</th>`)}
<th scope="col">Hits / rows</th><th scope="col">Parameters</th><th scope="col">Training</th><th scope="col">Per row</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="key">★ best of its column. Small figures: 95% interval. Parameters: those trained. A dash: not applicable.</p>
${await show(forestPlot(methods), html`HR@1 with 95% interval<span>Point: share of rows whose next item is ranked first. Line: 95% interval.</span>`)}
</section>`;
}

function comparisonSection({ comparisons }: ReportData): Html | undefined {
  const [first] = comparisons;
  if (first === undefined) return undefined;
  const { evidence, conclusion } = describeComparison(first);
  const rows = comparisons.map((entry) => {
    const { differences, hits, pValue, adjustedPValue } = entry.comparison;
    const { value, low, high } = differences.hr_at_1;
    return html`<tr><th scope="row">${entry.first} − ${entry.second}</th>
<td data-label="HR@1, points">${formatPoints(value)}<small>${formatPoints(low)} to ${formatPoints(high)}</small></td>
<td data-label="MRR">${differences.mrr === undefined ? '–' : html`${signed(differences.mrr.value)}<small>${signed(differences.mrr.low)} to ${signed(differences.mrr.high)}</small>`}</td>
<td data-label="Right only in one" class="nowrap">${formatHits(hits.onlyFirst)} : ${formatHits(hits.onlySecond)}</td>
<td data-label="p" class="nowrap">${formatPValue(pValue).slice(2).replace(/^= /, '')}</td>
<td data-label="p, Holm" class="nowrap">${adjustedPValue === undefined ? '–' : formatPValue(adjustedPValue).slice(2).replace(/^= /, '')}</td>
<td data-label="Verdict">${verdict(entry)}</td></tr>`;
  });
  return html`<section id="comparison"><h2>${first.first} against ${first.second}, row by row</h2>
<p class="lead">Paired: both methods answer the same rows, so only the rows on which they differ count.</p>
<p class="verdict"><strong>${conclusion}</strong> ${evidence}</p>
${
  comparisons.length < 2
    ? undefined
    : html`<div class="wide scroll"><table class="stack"><thead><tr><th scope="col">Difference</th><th scope="col">HR@1, points</th><th scope="col">MRR</th>
<th scope="col">Right only in one</th><th scope="col">p</th><th scope="col">p, Holm</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>`
}</section>`;
}

async function lossSection({ methods }: ReportData, show: Show): Promise<Html | undefined> {
  const figure = lossCurves(methods);
  if (figure === undefined) return undefined;
  return html`<section id="losses"><h2>Training</h2>
<p class="lead">Losses of different methods are different quantities; compare shapes, not heights. The weights that are kept are chosen on validation rows only.</p>
${await show(figure)}</section>`;
}

async function expertSection(data: ReportData, show: Show): Promise<Html | undefined> {
  const users = data.expertWeights?.slice(0, MAX_USERS) ?? [];
  if (users.length === 0) return undefined;
  return html`<section id="experts"><h2>Who uses which expert</h2>
<p class="lead">The gate turns a user's history into one weight per expert; each row sums to 100%. Rows that differ mean adapters that differ.</p>
${await show(expertHeatMap(users), html`Expert weights of ${users.length} users<span>Percent; stronger colour means more weight.</span>`)}</section>`;
}

async function exampleSection(data: ReportData, show: Show): Promise<Html | undefined> {
  const examples = data.examples ?? [];
  if (examples.length === 0) return undefined;
  const cards: Html[] = [];
  for (const [index, example] of examples.entries())
    cards.push(await exampleCard(example, index, show));
  return html`<section id="examples"><h2>Recommendations, worked</h2>
<p class="lead">What ${mainMethod(data).label} saw and how it ranked the items. Scores compare items of one user, not users.</p>${cards}</section>`;
}

async function exampleCard(example: WorkedExample, index: number, show: Show): Promise<Html> {
  const ranked = example.candidates.toSorted(
    (a, b) => b.score - a.score || Number(a.isTarget) - Number(b.isTarget),
  );
  const rank = ranked.findIndex(({ isTarget }) => isTarget) + 1;
  const scores = ranked.map(({ score }) => score);
  const low = Math.min(...scores);
  const range = Math.max(...scores) - low || 1;
  const rowOf = (place: number) => {
    const { score, isTarget } = ranked[place]!;
    const share = (4 + 96 * ((score - low) / range)).toFixed(1);
    return html`<tr class="${isTarget ? 'target' : ''}"><td>${place + 1}</td><td>${shownItem(ranked[place]!)}${isTarget ? html`<span class="chip">next item</span>` : undefined}</td>
<td class="bar"><i style="width:${share}%"></i></td><td class="score">${score.toFixed(2).replace('-', '−')}</td></tr>`;
  };
  const shown = Math.min(MAX_CANDIDATES, ranked.length);
  const rows = Array.from({ length: shown }, (_, place) => rowOf(place));
  if (rank > shown) rows.push(html`<tr class="gap"><td>⋮</td><td></td></tr>`, rowOf(rank - 1));
  if (Math.max(rank, shown) < ranked.length)
    rows.push(html`<tr class="gap"><td>⋮</td><td></td></tr>`);
  return html`<article class="example"><header><h3>${example.user}</h3>
<p>${rank === 0 ? `${ranked.length} items` : `next item ranked ${rank} of ${ranked.length}`}</p></header>
<div class="columns"><div><p class="label">History, oldest first</p>${example.earlier === undefined ? undefined : html`<p class="details">${example.earlier} earlier ones are not shown.</p>`}<ol class="history" start="${(example.earlier ?? 0) + 1}">${example.history.map((item) => html`<li>${shownItem(item)}</li>`)}</ol>
${
  example.gates === undefined
    ? undefined
    : html`<div class="gates"><p class="label">Expert weights of this user</p>${await show(gateBars(`figure-gates-${index + 1}`, example.gates))}</div>`
}</div>
<div><p class="label">Items by score</p><table class="ranking"><tbody>${rows}</tbody></table></div></div>
</article>`;
}

/** A title, and small and grey behind it what else is known. */
function shownItem({ title, details }: ShownItem): Html {
  return html`${title}${details === undefined ? undefined : html` <small class="details">${details}</small>`}`;
}

function notesSection(data: ReportData): Html {
  return html`<section id="notes"><h2>How to read these figures</h2>
<ul class="notes">${readingNotes(data).map((note) => html`<li>${note}</li>`)}</ul></section>`;
}

async function provenanceSection(data: ReportData, show: Show): Promise<Html> {
  const { dataset, seeds, machine, hashes, timings, settings, command } = data;
  const counts = {
    dataset: dataset.name,
    ...(dataset.numItems === undefined ? {} : { items: formatCount(dataset.numItems) }),
    ...(dataset.numTrainRows === undefined
      ? {}
      : { 'training rows': formatCount(dataset.numTrainRows) }),
  };
  const seedTexts = Object.entries(seeds).map(
    ([name, seed]) => [`seed: ${name}`, `${seed}`] as const,
  );
  return html`<section id="provenance"><h2>How this was made</h2>
<p class="lead">What is needed to obtain the same figures again.</p>
${command === undefined ? undefined : html`<pre class="command">${command}</pre>`}
<div class="pair"><div><h3>Machine</h3>${facts(Object.entries(machine))}</div>
<div><h3>Data and seeds</h3>${facts([...Object.entries(counts), ...seedTexts])}</div></div>
<div class="wide"><h3>Hashes (sha256)</h3>${facts(Object.entries(hashes), 'code')}</div>
${timings.length === 0 ? undefined : html`<div class="wide"><h3>Time</h3>${await show(timingBars(timings, formatDuration))}</div>`}
<div class="wide"><h3>Settings</h3><pre>${settings}</pre></div></section>`;
}

function facts(entries: readonly (readonly [string, string])[], kind = ''): Html {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd class="${kind}">${value}</dd>`)}</dl>`;
}

function interval({ low, high }: Estimate): string {
  return `${formatRatio(low)}–${formatRatio(high)}`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${formatRatio(Math.abs(value))}`;
}

/** `20.0 M`, `90.8 k`, `256`. */
function compactCount(value: number): string {
  if (value >= 999_950) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 10_000) return `${(value / 1e3).toFixed(1)} k`;
  return formatCount(value);
}

function formatDate(iso: string): string {
  return iso.slice(0, 10);
}
