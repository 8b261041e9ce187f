/**
 * What an audit says: findings with a severity, figures, a meaning and something to do.
 *
 * Every check gives exactly one finding, also where nothing is wrong, so that a reader sees what was
 * looked at. What cannot be told from the data is said as such (`isKnown: false`) and never passes
 * for clean.
 */
import type { Dataset } from '../data/index.js';

/** From harmless to what makes results mean something else than they seem to. */
export const severities = ['info', 'warning', 'severe'] as const;

/** How bad a finding is. */
export type Severity = (typeof severities)[number];

/** Named numbers; nested by split where a check counts per split. */
export interface Figures {
  [name: string]: number | string | boolean | null | Figures;
}

/** Result of one check. */
export interface Finding {
  id: string;
  severity: Severity;
  /** False where the data does not hold what the check would have to see. */
  isKnown: boolean;
  figures: Figures;
  /** The figure that matters most, in a few words. */
  figure: string;
  /** What it means. */
  message: string;
  /** What to do about it; empty where there is nothing to do. */
  advice: string;
}

/** One question asked of a dataset. */
export interface Check {
  readonly id: string;
  run(dataset: Dataset): Finding;
}

/** Whether a finding is at least as bad as `limit`. */
export function isAtLeast({ severity }: Finding, limit: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(limit);
}

/** The worst severity of several. */
export function worst(found: Iterable<Severity>): Severity {
  let place = 0;
  for (const severity of found) place = Math.max(place, severities.indexOf(severity));
  return severities[place]!;
}

/** A share as people read it: `47.3 %`. */
export function percent(share: number): string {
  const points = 100 * share;
  return `${points.toFixed(points !== 0 && Math.abs(points) < 0.1 ? 3 : 1)} %`;
}

/** `12 of 95 (12.6 %)`. */
export function outOf(count: number, total: number): string {
  return `${count} of ${total} (${percent(total === 0 ? 0 : count / total)})`;
}
