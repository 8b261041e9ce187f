/**
 * Lines of `sequences.jsonl`.
 */
import { mismatch } from '../../errors/index.js';
import { NumberList, readNumbers } from './digits.js';

/** One sequence as it was read; valid until the next one. */
export interface SequenceLine {
  user: string;
  items: ArrayLike<number>;
  times?: ArrayLike<number> | undefined;
}

/** Reads lines as `writer.ts` writes them at once, and any other JSON of that content. */
export class SequenceLineReader {
  private readonly items = new NumberList();
  private readonly times = new NumberList();

  /** @param size  of the catalog; item ids are smaller */
  constructor(private readonly size: number) {}

  /** @throws IloraError `format` */
  read(text: string, where: string): SequenceLine {
    return this.readWritten(text) ?? parseSequence(text, where, this.size);
  }

  /** Undefined for whatever is not exactly as it is written, right or wrong. */
  private readWritten(text: string): SequenceLine | undefined {
    const [start, middle, next] = ['{"user":', ',"items":[', '],"times":['];
    const users = text.indexOf(middle);
    if (!text.startsWith(start) || users < 0) return undefined;
    const { items, times } = this;
    let end = readNumbers(text, users + middle.length, ',', items);
    if (end < 0) return undefined;
    const hasTimes = text.startsWith(next, end);
    if (hasTimes) end = readNumbers(text, end + next.length, ',', times);
    if (end < 0 || end + 2 !== text.length || !text.endsWith(']}')) return undefined;
    for (let i = 0; i < items.length; i++) if (!(items.values[i]! < this.size)) return undefined;
    if (hasTimes) {
      if (times.length !== items.length) return undefined;
      for (let i = 1; i < times.length; i++)
        if (times.values[i]! < times.values[i - 1]!) return undefined;
    }
    const user = parseText(text.slice(start.length, users));
    if (user === undefined) return undefined;
    return {
      user,
      items: items.values.subarray(0, items.length),
      times: hasTimes ? times.values.subarray(0, times.length) : undefined,
    };
  }
}

/** A JSON text in quotes; undefined for anything else. */
function parseText(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // the slow way says what is wrong
  }
}

function parseSequence(text: string, where: string, size: number): SequenceLine {
  let value: { user?: unknown; items?: unknown; times?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch (error) {
    throw mismatch('format', { where, expected: 'a JSON object', got: text }, error);
  }
  const { user, items, times } = value ?? {};
  if (typeof user !== 'string')
    throw mismatch('format', { where, expected: 'a "user" in quotes', got: user });
  if (!Array.isArray(items))
    throw mismatch('format', { where, expected: 'a list of "items"', got: items });
  for (const item of items as unknown[])
    if (!Number.isInteger(item) || (item as number) < 0 || (item as number) >= size)
      throw mismatch('format', { where, expected: `item ids in [0, ${size})`, got: item });
  if (times === undefined) return { user, items: items as number[] };
  if (!Array.isArray(times) || times.length !== items.length)
    throw mismatch('format', { where, expected: `${items.length} "times"`, got: times });
  for (let i = 0; i < times.length; i++)
    if (!Number.isFinite(times[i]) || (i > 0 && times[i] < times[i - 1]))
      throw mismatch('format', {
        where,
        expected: 'times as numbers, oldest first',
        got: times[i],
      });
  return { user, items: items as number[], times: times as number[] };
}
