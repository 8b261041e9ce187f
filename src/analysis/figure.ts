/**
 * Charts as vega-lite specs, drawn to SVG when the report is written: the reader's browser runs no
 * script and loads nothing.
 *
 * A figure is drawn twice, wide and narrow, and the page shows the one that fits, so text stays
 * readable on a phone. Specs hold plain colours and work anywhere; in the drawn SVG each colour
 * becomes the page's variable, so a chart follows light and dark.
 */
import type { TopLevelSpec } from 'vega-lite';
import { visibleTexts } from './html.js';
import { PALETTE } from './theme.js';

/** A chart of any width in pixels. */
export interface Figure {
  /** Key of the embedded spec. */
  id: string;
  /** What the chart says, for readers who do not see it. */
  description: string;
  spec: (width: number) => TopLevelSpec;
}

/** A figure, drawn. */
export interface DrawnFigure {
  id: string;
  description: string;
  wide: string;
  narrow: string;
  /** The wide spec, for drawing again elsewhere. */
  spec: TopLevelSpec;
}

/** Widths in pixels of the two drawings; the narrow one fits a phone of 360. */
const WIDTHS = { wide: 930, narrow: 326 };

/** What all charts share. */
const CONFIG: TopLevelSpec['config'] = {
  background: 'transparent',
  font: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: PALETTE.muted,
    titleColor: PALETTE.muted,
    gridColor: PALETTE.grid,
    domainColor: PALETTE.line,
    tickColor: PALETTE.line,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelPadding: 6,
    titlePadding: 10,
  },
  axisY: { domain: false, ticks: false },
  header: {
    labelColor: PALETTE.ink,
    labelFontSize: 13,
    labelFontWeight: 600,
    labelAnchor: 'start',
    title: null,
  },
  legend: {
    labelColor: PALETTE.ink,
    titleColor: PALETTE.muted,
    labelFontSize: 12,
    orient: 'top',
    title: null,
  },
  text: { color: PALETTE.ink, fontSize: 12 },
};

/** Draws a figure in both widths. */
export async function draw({ id, description, spec }: Figure): Promise<DrawnFigure> {
  const complete = (width: number) => visibleTexts({ ...spec(width), description, config: CONFIG });
  return {
    id,
    description,
    wide: withOwnIds(await toSvg(complete(WIDTHS.wide)), `${id}-wide`),
    narrow: withOwnIds(await toSvg(complete(WIDTHS.narrow)), `${id}-narrow`),
    spec: complete(WIDTHS.wide),
  };
}

async function toSvg(spec: TopLevelSpec): Promise<string> {
  // Loaded here, so that only a report pays for it.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const compiled = compile(spec, { logger: vega.logger(vega.Error) }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
  try {
    return withPageColours(await view.toSVG());
  } finally {
    view.finalize();
  }
}

const VARIABLES: ReadonlyMap<string, string> = new Map(
  Object.entries(PALETTE).map(([name, hex]) => [hex, `var(--${name})`]),
);

function withPageColours(svg: string): string {
  return svg.replace(/"(#[0-9a-f]{6})"/gi, (whole, hex: string) => {
    const variable = VARIABLES.get(hex.toLowerCase());
    return variable === undefined ? whole : `"${variable}"`;
  });
}

/** Vega numbers clip paths over the whole process; numbered here, a report is the same every time. */
function withOwnIds(svg: string, prefix: string): string {
  const numbers = new Map<string, number>();
  return svg.replace(/(id="|url\(#)(clip\d+)/g, (_, start: string, id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size);
    return `${start}${prefix}-clip-${numbers.get(id)}`;
  });
}
