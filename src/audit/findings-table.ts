/**
 * Findings as a table for the terminal: worst first, long cells wrapped.
 */
import stringWidth from 'string-width';
import { formatTable } from '../analysis/index.js';
import { type Finding, severities } from './finding.js';

/** Narrowest table that still reads well. */
const minWidth = 100;

/**
 * One block of lines per finding: what, how bad, figure, meaning, what to do.
 *
 * @param width  columns of the terminal
 */
export function formatFindings(findings: readonly Finding[], width = 140): string {
  const sorted = [...findings].sort(
    (a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity),
  );
  const id = Math.max(...sorted.map((finding) => finding.id.length), 7);
  const rest = Math.max(minWidth, width) - id - 'not known'.length - 4 * 2;
  const widths = [0.36, 0.36, 0.28].map((share) => Math.floor(rest * share));
  const rows = sorted.flatMap(({ id: name, severity, isKnown, figure, message, advice }) => {
    const cells = [figure, message, advice].map((text, i) => wrap(text, widths[i]!));
    const lines = Math.max(1, ...cells.map(({ length }) => length));
    return Array.from({ length: lines }, (_, line) => [
      line === 0 ? name : '',
      line === 0 ? (isKnown ? severity : 'not known') : '',
      ...cells.map((cell) => cell[line] ?? ''),
    ]);
  });
  return formatTable(
    ['finding', 'severity', 'figure', 'what it means', 'what to do'].map((header) => ({ header })),
    rows,
  );
}

/** Words in lines of at most `width` columns of a terminal; a wider word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}
