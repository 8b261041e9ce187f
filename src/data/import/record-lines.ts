/**
 * Line numbers of records in a CSV file.
 *
 * DuckDB says which bytes it rejected, and rows it took have only an order. A record may span lines
 * (quotes) and blank lines are no records, so the file is read once more, and only when there is
 * something to report.
 */
import { streamUnpacked } from '../../files/index.js';

/** What to look for. */
export interface RecordQuery {
  /** Numbers, from 0, of records DuckDB took. */
  taken: readonly number[];
  /** Byte offsets, from 0, at which DuckDB found something to reject: where a record begins, or inside one. */
  rejected: readonly number[];
  hasHeader: boolean;
  /** The file is ISO-8859-1; DuckDB's offsets then count its text as UTF-8. */
  isLatin1: boolean;
  /** Byte of the quote character; undefined for none. */
  quote: number | undefined;
}

/** Line numbers, from 1. */
export interface RecordLines {
  byTaken: Map<number, number>;
  byRejected: Map<number, number>;
}

/** Finds the lines records begin on. */
export async function findRecordLines(path: string, query: RecordQuery): Promise<RecordLines> {
  const taken = new Set(query.taken);
  const rejected = [...query.rejected].sort((a, b) => a - b);
  let next = 0;
  const found: RecordLines = { byTaken: new Map(), byRejected: new Map() };
  let line = 1;
  let offset = 0;
  let record = query.hasHeader ? -1 : 0;
  let start = { line: 1, offset: 0 };
  let isBlank = true;
  let isQuoted = false;
  // After a broken quote DuckDB may go on inside a line: all of it is one rejected record.
  const isRejected = (): boolean => next < rejected.length && rejected[next]! < offset;
  const end = (): void => {
    if (isBlank) return;
    if (isRejected())
      for (; isRejected(); next++) found.byRejected.set(rejected[next]!, start.line);
    else {
      if (taken.has(record)) found.byTaken.set(record, start.line);
      record++;
    }
  };
  for await (const chunk of streamUnpacked(path))
    for (const byte of chunk) {
      offset += query.isLatin1 && byte > 0x7f ? 2 : 1;
      if (byte === query.quote) isQuoted = !isQuoted;
      if (byte !== 0x0a) {
        if (byte !== 0x0d) isBlank = false;
        continue;
      }
      line++;
      // A broken quote must not swallow the rest: a rejected record ends with its line.
      if (isQuoted && !isRejected()) continue;
      end();
      start = { line, offset };
      isBlank = true;
      isQuoted = false;
    }
  end();
  return found;
}
