/** The growth of each series as one small panel, on logarithmic axes, as an SVG that stands alone. */
import type { TopLevelSpec } from 'vega-lite';
import { PALETTE } from '../../src/analysis/theme.js';
import type { Fit } from './fit.js';
import type { Growth } from './growth.js';

/** @returns the SVG's text */
export async function drawGrowth(
  growth: readonly Growth[],
  quantity: 'time' | 'memory',
): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const spec = {
    columns: 4,
    spacing: { column: 28, row: 34 },
    concat: growth.map((series) => panel(series, quantity)),
    background: PALETTE.page,
    padding: 16,
    config: {
      aria: false,
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        labelColor: PALETTE.muted,
        titleColor: PALETTE.muted,
        gridColor: PALETTE.grid,
        domainColor: PALETTE.line,
        tickColor: PALETTE.line,
        titleFontWeight: 'normal',
        titleFontSize: 11,
      },
      title: {
        anchor: 'start',
        color: PALETTE.ink,
        fontSize: 12,
        subtitleColor: PALETTE.muted,
        subtitleFontSize: 11,
      },
    },
  } as unknown as TopLevelSpec;
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

function panel({ name, unit, points, time, memory }: Growth, quantity: 'time' | 'memory'): unknown {
  const isTime = quantity === 'time';
  const { upper } = isTime ? time : memory;
  const values = points.map(({ size, seconds, peakMB }) => {
    const { median, min, max } = isTime ? seconds : peakMB;
    return { size, median, min, max };
  });
  const last = values.at(-1) as (typeof values)[number];
  const line = [upper.from, upper.to].map((size) => ({
    size,
    fit: upper.scale * size ** upper.exponent,
  }));
  const rest = isTime ? time.withoutAttention : undefined;
  const exponents = [
    `grows with exponent ${text(upper)}`,
    rest === undefined ? '' : `without attention ${text(rest)}`,
  ];
  const log = (min: number, max: number) => ({ type: 'log', domain: [min, max], nice: false });
  const lows = values.map(({ min }) => min);
  const x = {
    field: 'size',
    type: 'quantitative',
    title: unit,
    scale: log((values[0] as { size: number }).size / 1.15, last.size * 1.15),
    axis: { values: values.map(({ size }) => size), format: '~s', labelOverlap: true, grid: false },
  };
  const scale = log(Math.min(...lows) / 1.6, Math.max(...values.map(({ max }) => max)) * 1.6);
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: isTime ? 'seconds' : 'MB above the model',
    scale,
    axis: { tickCount: 4, format: isTime ? '~g' : '~s' },
  });
  return {
    width: 190,
    height: 150,
    title: { text: name, subtitle: exponents },
    layer: [
      {
        data: { values: line },
        mark: { type: 'line', color: PALETTE.warm, strokeWidth: 1.5, opacity: 0.8 },
        encoding: { x, y: y('fit') },
      },
      {
        data: { values },
        mark: { type: 'rule', color: PALETTE.accent, strokeWidth: 2, opacity: 0.5 },
        encoding: { x, y: y('min'), y2: { field: 'max' } },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 42, opacity: 1, color: PALETTE.accent },
        encoding: { x, y: y('median') },
      },
    ],
  };
}

function text({ exponent, standardError }: Fit): string {
  const error = standardError === undefined ? '' : ` ± ${standardError.toFixed(2)}`;
  return `${exponent.toFixed(2)}${error}`;
}
