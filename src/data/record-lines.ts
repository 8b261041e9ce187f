/**
 * Line numbers of records in a CSV file.
 *
 * DuckDB says which bytes it rejected, and rows it took have only an order. A record may span lines
 * (quotes) and blank lines are no records, so the file is read once more, and only when there is
 * something to report.
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

/** What to look for. */
export interface RecordQuery {
  /** Numbers, from 0, of records DuckDB took. */
  taken: readonly number[];
  /** Byte offsets, from 0, at which records begin that DuckDB rejected. */
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
  const rejected = new Set(query.rejected);
  const found: RecordLines = { byTaken: new Map(), byRejected: new Map() };
  let line = 1;
  let offset = 0;
  let record = query.hasHeader ? -1 : 0;
  let start = { line: 1, offset: 0 };
  let isBlank = true;
  let isQuoted = false;
  const end = (): void => {
    if (isBlank) return;
    if (rejected.has(start.offset)) found.byRejected.set(start.offset, start.line);
    else {
      if (taken.has(record)) found.byTaken.set(record, start.line);
      record++;
    }
  };
  const file = createReadStream(path);
  for await (const chunk of path.endsWith('.gz') ? file.pipe(createGunzip()) : file)
    for (const byte of chunk as Buffer) {
      offset += query.isLatin1 && byte > 0x7f ? 2 : 1;
      if (byte === query.quote) isQuoted = !isQuoted;
      if (byte !== 0x0a) {
        if (byte !== 0x0d) isBlank = false;
        continue;
      }
      line++;
      // A broken quote must not swallow the rest: a rejected record ends with its line.
      if (isQuoted && !rejected.has(start.offset)) continue;
      end();
      start = { line, offset };
      isBlank = true;
      isQuoted = false;
    }
  end();
  return found;
}
