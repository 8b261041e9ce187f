/** Sentences made from figures: what a comparison says, and how figures are to be read. */
import type { Protocol } from '../data/index.js';
import { mismatch } from '../errors/index.js';
import {
  type Comparison,
  type Estimate,
  type Evaluation,
  type MetricName,
  metricLabel,
} from '../evaluation/index.js';
import { formatCount, formatHits, formatPoints, formatPValue, formatRatio } from './format.js';
import type { ReportComparison, ReportData, ReportMethod } from './report-data.js';

/** Below this two methods are called different. */
const SIGNIFICANCE = 0.05;

/** `0.421 (95% interval 0.327 to 0.521, 40 of 95)` */
export function describeEstimate({ value, low, high, count, total }: Estimate): string {
  return `${formatRatio(value)} (95% interval ${formatRatio(low)} to ${formatRatio(high)}, ${formatHits(count)} of ${formatCount(total)})`;
}

/** What a protocol shows, in one line. */
export const describeProtocol = (protocol: Protocol): string =>
  protocol === 'window'
    ? 'protocol window: the last items of a history'
    : 'protocol history: whole histories; what a user has had is no answer';

/** The protocol of evaluations that stand together. @throws IloraError `data` if they have several */
export function protocolOf(evaluations: readonly Evaluation[], where: string): Protocol {
  const [protocol = 'window', ...others] = new Set(evaluations.map((each) => each.protocol));
  if (others.length === 0) return protocol;
  throw mismatch('data', {
    where,
    expected: `evaluations of the protocol ${protocol} only`,
    got: others[0],
    hint: 'figures of different protocols share no column',
  });
}

/** How the intervals of evaluations were made, and what the filter took out; a line each. */
export function describeMeasuring(evaluations: readonly Evaluation[]): string[] {
  const intervals = (['wilson', 'bootstrap'] as const).flatMap((kind) => {
    const names = (['hr_at_1', 'expected_hr_at_1'] as const).flatMap((name) =>
      describeKind(evaluations, { name, kind }),
    );
    const rule = kind === 'wilson' ? 'by Wilson' : 'by a bootstrap of whole users';
    return names.length === 0 ? [] : [`of ${names.join(' and ')} ${rule}`];
  });
  const filtered = evaluations.find((each) => each.filter !== undefined);
  const catalog = evaluations.find((each) => each.catalogSize)?.catalogSize;
  return [
    `Intervals: ${intervals.join('; ')}.`,
    ...(catalog === undefined
      ? []
      : [
          `Expected: the mean over all draws of candidates. Catalog and recall: among all ${formatCount(catalog)} items outside the history.`,
        ]),
    ...(filtered === undefined ? [] : describeFilter(filtered)),
  ];
}

/** A metric whose intervals are of a kind, and of which methods, where those of others are not. */
function describeKind(
  evaluations: readonly Evaluation[],
  { name, kind }: { name: MetricName; kind: Estimate['interval'] },
): string[] {
  const told = evaluations.filter(({ metrics }) => metrics[name] !== undefined);
  const such = told.filter(({ metrics }) => metrics[name]?.interval === kind);
  if (such.length === 0) return [];
  const methods = such.map(({ method }) => method).join(', ');
  return [`${metricLabel(name)}${such.length < told.length ? ` (${methods})` : ''}`];
}

/** What the filter of the protocol took out; nothing where there is none. */
function describeFilter({ filter, numRows }: Evaluation): string[] {
  if (filter === undefined) return [];
  const { candidates, share, targets } = filter;
  return [
    `What a user has had is no answer: that took out ${formatCount(candidates)} candidates (${(100 * share).toFixed(1)} % of all but the targets) and the targets of ${formatCount(targets)} of ${formatCount(numRows)} rows, which count as missed.`,
  ];
}

/** The paired comparison in words, ending in what it allows to conclude. */
export function describeComparison({ first, second, comparison }: ReportComparison): {
  evidence: string;
  conclusion: string;
} {
  const { hits, differences, pValue, adjustedPValue, test } = comparison;
  const { value, low, high } = differences.hr_at_1;
  const decisive = adjustedPValue ?? pValue;
  const name = test === 'mcnemar' ? 'exact McNemar test' : 'sign-flip test over users';
  const adjusted =
    adjustedPValue === undefined || adjustedPValue === pValue
      ? ''
      : `; ${formatPValue(adjustedPValue)} after Holm's correction over all comparisons`;
  const { runs } = comparison;
  const seeds = runs === undefined ? '' : ` (means over ${runs[0]} and ${runs[1]} seeds)`;
  const evidence =
    `On ${plural(comparison.numRows, 'row')} with the same candidates${seeds}, ${first} is right where ${second} is wrong ` +
    `${times(hits.onlyFirst)}, and wrong where ${second} is right ${times(hits.onlySecond)}. ` +
    `The difference in HR@1 is ${formatPoints(value)} points ` +
    `(95% interval ${formatPoints(low)} to ${formatPoints(high)}; ${name}, ${formatPValue(pValue)}${adjusted}).` +
    expectedEvidence(comparison);
  return { evidence, conclusion: conclude(first, second, value, decisive) };
}

/** The same in expectation over draws of candidates, where that is known. */
function expectedEvidence({ expected, differences }: Comparison): string {
  const figure = differences.expected_hr_at_1;
  if (expected === undefined || figure === undefined) return '';
  const { value, low, high } = figure;
  const { pValue, adjustedPValue } = expected;
  const adjusted =
    adjustedPValue === undefined || adjustedPValue === pValue
      ? ''
      : `; ${formatPValue(adjustedPValue)} after Holm's correction`;
  return (
    ` Over all draws of candidates it is ${formatPoints(value)} points ` +
    `(${formatPoints(low)} to ${formatPoints(high)}; sign-flip test over users, ${formatPValue(pValue)}${adjusted}).`
  );
}

/** Short form for tables: `iLoRA better`, `not separable`. */
export function verdict({ first, second, comparison }: ReportComparison): string {
  if ((comparison.adjustedPValue ?? comparison.pValue) >= SIGNIFICANCE) return 'not separable';
  return `${comparison.differences.hr_at_1.value > 0 ? first : second} better`;
}

/** One paragraph: the best method, the main method, and what their comparison says. */
export function summarise(data: ReportData): string {
  const { dataset, methods, comparisons } = data;
  const best = bestMethod(methods);
  const main = mainMethod(data);
  const { numRows } = main.evaluation;
  const sentences = [
    `On ${plural(numRows, 'row')} of the ${dataset.split} split of ${dataset.name}, each with ${dataset.numCandidates} candidates, ` +
      `${main.label} ranks the next item first with HR@1 ${describeEstimate(main.evaluation.metrics.hr_at_1)}.`,
  ];
  if (best !== main)
    sentences.push(
      `The best figure is ${best.label}'s ${formatRatio(best.evaluation.metrics.hr_at_1.value)}.`,
    );
  const [comparison] = comparisons;
  if (comparison !== undefined) sentences.push(describeComparison(comparison).conclusion);
  return sentences.join(' ');
}

/** The method that the report is about; the best one when none is named. */
export function mainMethod({ methods }: ReportData): ReportMethod {
  return methods.find(({ isMain }) => isMain === true) ?? bestMethod(methods);
}

/** What a careful reader needs to know about these figures. */
export function readingNotes(data: ReportData): string[] {
  const { dataset, methods } = data;
  const { evaluation } = mainMethod(data);
  const { numRows, numUsers } = evaluation;
  const tied = methods.filter((method) => method.evaluation.numTiedRows > 0);
  const texts = methods.filter((method) => method.evaluation.mode === 'generation');
  const chance = 1 / dataset.numCandidates;
  return [
    `${formatCount(numRows)} rows were scored, all of them: one row is ${(100 / numRows).toFixed(2)} points of HR@1. Guessing among ${dataset.numCandidates} candidates gives ${formatRatio(chance)}.`,
    `Candidates are frozen: drawn once, stored, and the same for every method${dataset.candidatesSha256 === undefined ? '' : ` (sha256 ${dataset.candidatesSha256.slice(0, 16)}…)`}. Another draw would give other figures${evaluation.metrics.expected_hr_at_1 === undefined ? '' : '; expected HR@1 is the mean over all draws'}.`,
    ...describeFilter(evaluation),
    numUsers === numRows
      ? 'Every user has one row. Intervals of shares are Wilson intervals where there is one run; all others are bootstrap intervals with a fixed seed.'
      : `${formatCount(numUsers)} users have ${formatCount(numRows)} rows. Rows of one user resemble each other, so intervals and tests draw whole users.`,
    ...(methods.some(({ evaluation }) => evaluation.runs !== undefined)
      ? [
          'Methods that draw random numbers were trained with several seeds: their figures are means over the runs, their intervals bootstraps of whole users. Expert weights and worked examples are those of the first seed.',
        ]
      : []),
    'Overlapping intervals do not decide between two methods: the paired test does, because both see the same rows.',
    tied.length === 0
      ? 'No row had another candidate with exactly the score of the target.'
      : `Ties count against the method: the target must score higher than all others. Rows with a tie: ${tied.map((method) => `${method.label} ${method.evaluation.numTiedRows}`).join(', ')}.`,
    texts.length === 0
      ? 'All methods score every candidate, so ValidRatio is 1 by construction.'
      : `${texts.map(({ label }) => label).join(', ')} ${texts.length === 1 ? 'generates' : 'generate'} text that is matched to titles; HR@1 counts invalid answers as wrong. The others score candidates, so their ValidRatio is 1 by construction.`,
    ...(data.notes ?? []),
  ];
}

function bestMethod(methods: readonly ReportMethod[]): ReportMethod {
  return methods.reduce((best, method) =>
    method.evaluation.metrics.hr_at_1.value > best.evaluation.metrics.hr_at_1.value ? method : best,
  );
}

function conclude(first: string, second: string, difference: number, pValue: number): string {
  if (pValue >= SIGNIFICANCE)
    return `These rows do not separate ${first} from ${second}: chance alone could bring a difference of this size.`;
  const [better, worse] = difference > 0 ? [first, second] : [second, first];
  return `${better} is better than ${worse} on these rows by more than chance would explain.`;
}

function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${formatHits(count)} times`;
}
