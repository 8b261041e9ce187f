/**
 * SQL that reads the columns of a file as what they mean.
 *
 * A field becomes a few columns named after it. A number is stored as a number, and as a text only where there is
 * no other way: 20 million interactions in texts take twice the memory and time.
 *
 * | kind   | columns |
 * |---|---|
 * | text   | `x`: as it stands |
 * | key    | `x_n`: ids that are whole numbers in their usual spelling; `x_text`: all others, without spaces at the ends |
 * | number | `x_n`; `x_text`: what is no finite number |
 * | time   | `x_n`; `x_iso`: seconds of an ISO text; `x_text`: what is neither |
 *
 * All are null where the file has nothing. `01` and `1` are different ids, hence the usual spelling.
 */
import { identifier } from './duckdb.js';

/** What a field means. */
export type FieldKind = 'text' | 'key' | 'number' | 'time';

/** A field of the table to be. */
export interface Field {
  kind: FieldKind;
  /** SQL for its text in the file; undefined if the file has no such column. */
  text: string | undefined;
}

/** Columns of a field, read from its text. */
export function fieldOfText(alias: string, { kind, text = 'NULL::VARCHAR' }: Field): string[] {
  const [x, n, iso, rest] = namesOf(alias);
  const number = `TRY_CAST(${text} AS DOUBLE)`;
  const time = `CASE WHEN ${number} IS NULL THEN epoch(TRY_CAST(${text} AS TIMESTAMPTZ)) END`;
  const whole = `TRY_CAST(trim(${text}) AS BIGINT)`;
  const isUsual = `CAST(${whole} AS VARCHAR) = trim(${text})`;
  switch (kind) {
    case 'text':
      return [`${text} AS ${x}`];
    case 'key':
      return [
        `CASE WHEN ${isUsual} THEN ${whole} END AS ${n}`,
        `CASE WHEN coalesce(${isUsual}, false) THEN NULL ELSE trim(${text}) END AS ${rest}`,
      ];
    case 'number':
      return [`${number} AS ${n}`, `${unlessFinite(number, text)} AS ${rest}`];
    case 'time':
      return [
        `${number} AS ${n}`,
        `${time} AS ${iso}`,
        `${unlessFinite(`coalesce(${number}, ${time})`, text)} AS ${rest}`,
      ];
  }
}

const wholeTypes = /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER)$/;
const timeTypes = /^(TIMESTAMP|TIMESTAMP WITH TIME ZONE|DATE)$/;

/**
 * Columns of a field, read from a column that has the right type already; undefined if it has not, and
 * must be read from its text.
 */
export function fieldOfType(
  alias: string,
  kind: FieldKind,
  column: string | undefined,
  type: string,
): string[] | undefined {
  if (column === undefined) return fieldOfText(alias, { kind, text: undefined });
  const [, n, iso, rest] = namesOf(alias);
  const value = identifier(column);
  const text = `CAST(${value} AS VARCHAR)`;
  const isWhole = wholeTypes.test(type);
  if (kind === 'key' && isWhole)
    return [`CAST(${value} AS BIGINT) AS ${n}`, `NULL::VARCHAR AS ${rest}`];
  if ((kind === 'number' || kind === 'time') && (isWhole || type === 'DOUBLE')) {
    const bad = isWhole ? 'NULL::VARCHAR' : unlessFinite(value, text);
    const noIso = kind === 'time' ? [`NULL::DOUBLE AS ${iso}`] : [];
    return [`CAST(${value} AS DOUBLE) AS ${n}`, ...noIso, `${bad} AS ${rest}`];
  }
  if (kind === 'time' && timeTypes.test(type)) {
    const seconds = `epoch(CAST(${value} AS TIMESTAMPTZ))`;
    return [
      `NULL::DOUBLE AS ${n}`,
      `${seconds} AS ${iso}`,
      `${unlessFinite(seconds, text)} AS ${rest}`,
    ];
  }
  return undefined;
}

function unlessFinite(number: string, text: string): string {
  return `CASE WHEN coalesce(isfinite(${number}), false) THEN NULL ELSE ${text} END`;
}

function namesOf(alias: string): [string, string, string, string] {
  return ['', '_n', '_iso', '_text'].map((end) => identifier(alias + end)) as [
    string,
    string,
    string,
    string,
  ];
}
