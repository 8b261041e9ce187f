/**
 * How a text file of rows is written: separator, quotes, header, found in its first line.
 */
import { faults, mismatch } from '../../errors/index.js';
import { streamUnpacked } from '../../files/index.js';

/** What the user may say; all is found out when left out. */
export interface TextOptions {
  /** What separates fields; `::` is possible. */
  delimiter?: string;
  /** Quote character, an empty text for none; default `"` in CSV and none in TSV files. */
  quote?: string;
  /** False if the first line is a row; columns then go by number, from 1. */
  hasHeader?: boolean;
  encoding?: 'utf-8' | 'latin-1';
}

/** All that is needed to read the file. */
export interface TextLayout extends Required<TextOptions> {
  columns: string[];
}

/** Separators that are looked for, longest first. */
const delimiters = ['::', ',', '\t', ';', '|'] as const;

/** Finds the layout of a CSV or TSV file. */
export async function findTextLayout(
  path: string,
  format: 'csv' | 'tsv',
  { delimiter, quote, hasHeader = true, encoding = 'utf-8' }: TextOptions,
): Promise<TextLayout> {
  const line = await readFirstLine(path, encoding);
  if (line.trim() === '')
    throw mismatch('format', {
      where: `${path}:1`,
      expected: hasHeader ? 'a line of column names' : 'a row',
      got: line,
    });
  const separator = delimiter ?? guessDelimiter(line, format);
  const marks = quote ?? (separator === '\t' ? '' : '"');
  const fields = splitFields(line, separator, marks);
  const columns = hasHeader ? fields : fields.map((_, i) => `column ${i + 1}`);
  refuseManyColumns(path, columns.length);
  const problems = columns.flatMap((column, i) => {
    if (column === '') return [`column ${i + 1}: expected a name, got nothing`];
    const first = columns.findIndex((other) => other.toLowerCase() === column.toLowerCase());
    return first < i ? [`column ${i + 1}: expected a name of its own, got "${column}" again`] : [];
  });
  if (problems.length > 0)
    throw faults('format', `${path}:1`, [
      ...problems,
      'with --no-header the first line is a row and columns go by number',
    ]);
  return { delimiter: separator, quote: marks, hasHeader, encoding, columns };
}

/** Most bytes of the first line. */
const MAX_LINE_BYTES = 1 << 20;
/** More than any table of interactions has; each costs DuckDB an expression per row. */
const MAX_COLUMNS = 1000;

/** @throws IloraError `format` for a file that is hardly a table of interactions or items */
export function refuseManyColumns(path: string, count: number): void {
  if (count > MAX_COLUMNS)
    throw mismatch('format', {
      where: `${path}:1`,
      expected: `at most ${MAX_COLUMNS} columns`,
      got: count,
    });
}

async function readFirstLine(path: string, encoding: string): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of streamUnpacked(path, { end: MAX_LINE_BYTES })) {
      parts.push(chunk);
      size += chunk.length;
      // A megabyte of a packed file may be a gigabyte of text.
      if (chunk.includes(0x0a) || size > MAX_LINE_BYTES) break;
    }
  } catch (error) {
    // The cut end of a long compressed file is no fault as long as a line came out.
    if (parts.length === 0) throw error;
  }
  if (size > MAX_LINE_BYTES && !parts.at(-1)?.includes(0x0a))
    throw mismatch('format', {
      where: `${path}:1`,
      expected: `a line of at most ${MAX_LINE_BYTES} bytes`,
      got: new Error('a longer one'),
    });
  const text = Buffer.concat(parts).toString(encoding === 'latin-1' ? 'latin1' : 'utf8');
  return text
    .split('\n', 1)[0]!
    .replace(/\r$/, '')
    .replace(/^\uFEFF/, '');
}

function guessDelimiter(line: string, format: 'csv' | 'tsv'): string {
  let best = { delimiter: format === 'tsv' ? '\t' : ',', fields: 1 };
  for (const delimiter of delimiters) {
    const fields = line.split(delimiter).length;
    if (fields > best.fields) best = { delimiter, fields };
  }
  return best.delimiter;
}

/** Fields of one line; a doubled quote stands for one. */
function splitFields(line: string, delimiter: string, quote: string): string[] {
  if (quote === '') return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let field = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; ) {
    if (line.startsWith(quote, i)) {
      if (isQuoted && line.startsWith(quote, i + 1)) {
        field += quote;
        i++;
      } else isQuoted = !isQuoted;
      i++;
    } else if (!isQuoted && line.startsWith(delimiter, i)) {
      fields.push(field.trim());
      field = '';
      i += delimiter.length;
    } else field += line[i++];
  }
  fields.push(field.trim());
  return fields;
}
