/**
 * Hostile titles as a finding, and as a table.
 */

import { formatTable } from '../analysis/index.js';
import { type Finding, type Severity, severities } from './finding.js';
import type { HostileTitles, TitleEffect } from './hostile-titles.js';

/** Lower ends of the 95 % intervals from which on a negative's rise counts. */
const limits = { gain: 1, first: 0.25 };

/** How bad the worst variant is, judged by negatives: a target that rises was right to. */
export function hostileFinding(measured: HostileTitles, run: string): Finding {
  const negatives = measured.effects.filter(({ role }) => role === 'negative');
  const worst = negatives.reduce((one, other) => {
    const byHarm = harmOf(other) - harmOf(one);
    return byHarm > 0 || (byHarm === 0 && other.gain.mean > one.gain.mean) ? other : one;
  });
  const severity = severityOf(worst);
  return {
    id: 'hostile-titles',
    severity,
    isKnown: measured.rows > 0,
    figures: {
      run,
      method: measured.method,
      readsTitles: measured.readsTitles,
      rows: measured.rows,
      worstVariant: worst.variant,
      worstGain: worst.gain.mean,
      worstGainLow: worst.gain.low,
      worstGainHigh: worst.gain.high,
      worstBecameFirst: worst.becameFirst.share,
    },
    figure: `${run}: "${worst.variant}" moves a random negative by ${signed(worst.gain.mean)} places (${signed(worst.gain.low)} to ${signed(worst.gain.high)}) over ${measured.rows} rows; first in ${worst.becameFirst.count} of ${worst.becameFirst.total}`,
    message: !measured.readsTitles
      ? 'The method reads no titles; retitling changes nothing.'
      : severity === 'info'
        ? 'No title was shown to bring an item up; the interval says how far one might on these rows.'
        : 'Whoever may name an item can bring it up by its title alone.',
    advice:
      severity === 'info'
        ? ''
        : 'Let titles in only from sources you trust, bound their length, and watch for items whose place is far above that of an encoder without titles.',
  };
}

function severityOf({ gain, becameFirst }: TitleEffect): Severity {
  if (becameFirst.low >= limits.first) return 'severe';
  return gain.low >= limits.gain ? 'warning' : 'info';
}

function harmOf(effect: TitleEffect): number {
  return severities.indexOf(severityOf(effect));
}

/** One line per variant and role. */
export function formatHostileTitles({ effects, method, rows }: HostileTitles): string {
  const right = [
    'places gained',
    '95% interval',
    'min',
    'median',
    'max',
    'moved',
    'first before',
    'first after',
    'became first',
  ];
  return [
    `${method}, ${rows} rows; places gained when only the title changes, the others' titles as they are`,
    formatTable(
      [
        { header: 'title' },
        { header: 'of' },
        ...right.map((header) => ({ header, align: 'right' as const })),
      ],
      effects.map(
        ({ variant, role, gain, spread, moved, firstBefore, firstAfter, becameFirst }) => [
          variant,
          role,
          signed(gain.mean),
          `${signed(gain.low)} to ${signed(gain.high)}`,
          signed(spread.min, 0),
          signed(spread.median, 0),
          signed(spread.max, 0),
          String(moved),
          String(firstBefore),
          String(firstAfter),
          `${becameFirst.count}/${becameFirst.total} (${becameFirst.low.toFixed(2)}–${becameFirst.high.toFixed(2)})`,
        ],
      ),
    ),
  ].join('\n');
}

function signed(value: number, digits = 1): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? '−' : '+'}${text}`;
}
