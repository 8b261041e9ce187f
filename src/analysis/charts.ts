/** The report's charts, as figures of any width. */
import type { TopLevelSpec } from 'vega-lite';
import type { Figure } from './figure.js';
import { formatRatio } from './format.js';
import type { ExpertWeights, ReportData, ReportMethod } from './report-data.js';
import { PALETTE } from './theme.js';

type Spec = Pick<TopLevelSpec, never> & Record<string, unknown>;

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

const isNarrow = (width: number) => width < 500;

/** HR@1 of every method: a point with its 95% interval, best first. */
export function forestPlot(methods: readonly ReportMethod[]): Figure {
  const values = methods.map(({ label, isMain, evaluation: { metrics } }) => ({
    method: label,
    kind: isMain === true ? 'main' : 'other',
    value: metrics.hr_at_1.value,
    low: metrics.hr_at_1.low,
    high: metrics.hr_at_1.high,
    text: formatRatio(metrics.hr_at_1.value),
  }));
  const y = { field: 'method', type: 'nominal', sort: { field: 'value', order: 'descending' } };
  return {
    id: 'figure-hr_at_1',
    description: `HR@1 with 95% interval: ${values
      .map(
        ({ method, text, low, high }) =>
          `${method} ${text} (${formatRatio(low)} to ${formatRatio(high)})`,
      )
      .join('; ')}.`,
    spec: (width) =>
      asSpec({
        data: { values },
        width: width - (isNarrow(width) ? 165 : 210),
        height: { step: 38 },
        encoding: {
          y: {
            ...y,
            title: null,
            axis: {
              labelColor: PALETTE.ink,
              labelFontSize: 13,
              labelLimit: isNarrow(width) ? 160 : 240,
              grid: false,
            },
          },
          color: MAIN_OR_OTHER,
        },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 3, strokeCap: 'round', opacity: 0.55 },
            encoding: {
              x: {
                field: 'low',
                type: 'quantitative',
                title: 'HR@1 over all rows',
                scale: { zero: true, nice: true },
                axis: { format: '.1f', tickCount: isNarrow(width) ? 4 : 8 },
              },
              x2: { field: 'high' },
            },
          },
          {
            mark: { type: 'point', filled: true, size: 110, opacity: 1 },
            encoding: { x: { field: 'value', type: 'quantitative' } },
          },
          {
            mark: { type: 'text', dy: -12, fontWeight: 600 },
            encoding: {
              x: { field: 'value', type: 'quantitative' },
              text: { field: 'text' },
              color: { value: PALETTE.ink },
            },
          },
        ],
      }),
  };
}

/** Training and validation loss of every trained method, one panel each: losses differ in kind. */
export function lossCurves(methods: readonly ReportMethod[]): Figure | undefined {
  const trained = methods.filter(({ losses }) => (losses?.length ?? 0) > 0);
  if (trained.length === 0) return undefined;
  const values = trained.flatMap(({ label, losses }) =>
    losses!.flatMap(({ step, train, validation }) => [
      ...(train === undefined ? [] : [{ method: label, step, part: 'training', loss: train }]),
      ...(validation === undefined
        ? []
        : [{ method: label, step, part: 'validation', loss: validation }]),
    ]),
  );
  const hasValidation = values.some(({ part }) => part === 'validation');
  return {
    id: 'figure-losses',
    description: `Loss against optimizer steps on training and validation rows of ${trained
      .map(({ label }) => label)
      .join(', ')}.`,
    spec: (width) => {
      const columns = isNarrow(width) ? 1 : Math.min(3, trained.length);
      return asSpec({
        data: { values },
        columns,
        spacing: { column: 36, row: 30 },
        facet: { field: 'method', type: 'nominal', sort: trained.map(({ label }) => label) },
        resolve: { scale: { x: 'independent', y: 'independent' } },
        spec: {
          width: Math.floor((width - columns * 48 - (columns - 1) * 36) / columns),
          height: 170,
          encoding: {
            x: {
              field: 'step',
              type: 'quantitative',
              title: 'optimizer step',
              axis: { grid: false, tickCount: 5, format: 'd', tickMinStep: 1 },
              scale: { nice: false },
            },
            y: {
              field: 'loss',
              type: 'quantitative',
              title: null,
              scale: { zero: false },
              axis: { tickCount: 5, format: '.2~f' },
            },
            color: {
              field: 'part',
              type: 'nominal',
              scale: { domain: ['training', 'validation'], range: [PALETTE.plain, PALETTE.accent] },
              legend: hasValidation
                ? { symbolType: 'stroke', symbolStrokeWidth: 3, offset: 18 }
                : null,
            },
          },
          layer: [
            { mark: { type: 'line', strokeWidth: 2, strokeJoin: 'round' } },
            {
              transform: [{ filter: "datum.part === 'validation'" }],
              mark: { type: 'point', filled: true, size: 45, opacity: 1 },
            },
          ],
        },
      });
    },
  };
}

/**
 * Expert weights of some users: rows are users, columns experts; stronger colour means more. Half the
 * accent is the strongest, so that the numbers stay readable on every cell, light and dark.
 */
export function expertHeatMap(users: readonly ExpertWeights[]): Figure {
  const strongest = Math.max(...users.flatMap(({ weights }) => weights));
  const values = users.flatMap(({ user, weights }) =>
    weights.map((weight, expert) => ({ user, expert: `${expert + 1}`, weight })),
  );
  const numExperts = users[0]?.weights.length ?? 0;
  return {
    id: 'figure-experts',
    description: `Expert weights, in percent: ${users
      .map(({ user, weights }) => `${user}: ${weights.map((w) => Math.round(w * 100)).join(', ')}`)
      .join('; ')}.`,
    spec: (width) =>
      asSpec({
        data: { values },
        width: Math.min(width - 110, numExperts * 110),
        height: { step: 30 },
        encoding: {
          x: {
            field: 'expert',
            type: 'ordinal',
            sort: null,
            title: 'expert',
            axis: { orient: 'top', labelAngle: 0, domain: false, ticks: false },
          },
          y: {
            field: 'user',
            type: 'nominal',
            sort: null,
            title: null,
            axis: { labelColor: PALETTE.ink, labelLimit: 100 },
          },
        },
        layer: [
          {
            mark: { type: 'rect', color: PALETTE.accent, stroke: PALETTE.page, strokeWidth: 2 },
            encoding: {
              opacity: {
                field: 'weight',
                type: 'quantitative',
                scale: { domain: [0, strongest], range: [0.03, 0.5] },
                legend: null,
              },
            },
          },
          {
            mark: { type: 'text', fontSize: numExperts > 8 ? 10 : 12.5 },
            encoding: {
              text: { field: 'weight', type: 'quantitative', format: '.0%' },
            },
          },
        ],
      }),
  };
}

/** The expert weights of one user as bars. */
export function gateBars(id: string, weights: readonly number[]): Figure {
  const values = weights.map((weight, expert) => ({ expert: `expert ${expert + 1}`, weight }));
  return {
    id,
    description: `Expert weights: ${weights.map((weight) => formatRatio(weight)).join(', ')}.`,
    spec: (width) =>
      labelledBars({
        values,
        category: 'expert',
        quantity: 'weight',
        label: "format(datum.weight, '.0%')",
        width: Math.min(width, 326) - 110,
        step: 22,
        domain: [0, Math.max(0.5, ...weights)],
      }),
  };
}

/** Where the time went. */
export function timingBars(timings: ReportData['timings'], format: (s: number) => string): Figure {
  const values = timings.map(({ label, seconds }) => ({ label, seconds, text: format(seconds) }));
  return {
    id: 'figure-timings',
    description: `Time: ${values.map(({ label, text }) => `${label} ${text}`).join('; ')}.`,
    spec: (width) =>
      labelledBars({
        values,
        category: 'label',
        quantity: 'seconds',
        label: 'datum.text',
        width: width - (isNarrow(width) ? 190 : 290),
        step: 28,
        domain: [0, Math.max(1e-9, ...timings.map(({ seconds }) => seconds))],
      }),
  };
}

interface BarOptions {
  values: Record<string, unknown>[];
  category: string;
  quantity: string;
  /** Vega expression of the text behind a bar. */
  label: string;
  width: number;
  step: number;
  domain: [number, number];
}

function labelledBars({ values, category, quantity, label, width, step, domain }: BarOptions) {
  return asSpec({
    data: { values },
    width,
    height: { step },
    transform: [{ calculate: label, as: 'shown' }],
    encoding: {
      y: {
        field: category,
        type: 'nominal',
        sort: null,
        title: null,
        axis: { labelColor: PALETTE.ink, labelLimit: 200 },
        scale: { paddingInner: 0.4, paddingOuter: 0.1 },
      },
      x: { field: quantity, type: 'quantitative', axis: null, scale: { domain, nice: false } },
    },
    layer: [
      { mark: { type: 'bar', color: PALETTE.accent, cornerRadiusEnd: 3 } },
      {
        mark: { type: 'text', align: 'left', dx: 7, color: PALETTE.muted },
        encoding: { text: { field: 'shown' } },
      },
    ],
  });
}

const MAIN_OR_OTHER = {
  field: 'kind',
  type: 'nominal',
  scale: { domain: ['main', 'other'], range: [PALETTE.accent, PALETTE.plain] },
  legend: null,
};

/** The literals above follow vega-lite's schema; its types are too wide for the compiler to infer them. */
function asSpec(spec: Spec): TopLevelSpec {
  return { $schema: SCHEMA, ...spec } as unknown as TopLevelSpec;
}
