/**
 * Reads text files line by line with line numbers and, on the way, their hash.
 */
import { createHash } from 'node:crypto';
import { TextDecoder } from 'node:util';
import { mismatch } from '../../errors/index.js';
import { fileError, streamRegular } from '../../files/index.js';

/** A line and its number, from 1. */
export interface Line {
  text: string;
  number: number;
}

/** Options of {@link readLines}. */
export interface ReadLinesOptions {
  encoding?: 'utf-8' | 'iso-8859-1';
  /** Refuse the file at its end unless it has this sha256. */
  sha256?: string;
}

/**
 * Lines of a file in groups of one chunk each, which is many times faster than one by one.
 *
 * @throws IloraError `file` if it cannot be read, `format` on bad UTF-8 or a wrong hash
 */
export async function* readLines(
  path: string,
  { encoding = 'utf-8', sha256 }: ReadLinesOptions = {},
): AsyncGenerator<Line[]> {
  const hash = createHash('sha256');
  // Node's TextDecoder knows no true ISO-8859-1; windows-1252 differs in control characters only.
  const decoder = new TextDecoder(encoding === 'utf-8' ? 'utf-8' : 'windows-1252', { fatal: true });
  let number = 0;
  let rest = '';
  const decode = (chunk?: Buffer): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw mismatch(
        'format',
        { where: `${path}:${number + 1}`, expected: `${encoding} text`, got: 'other bytes' },
        error,
      );
    }
  };
  try {
    for await (const chunk of streamRegular(path, { highWaterMark: 1 << 18 })) {
      hash.update(chunk as Buffer);
      const texts = (rest + decode(chunk as Buffer)).split('\n');
      rest = texts.pop()!;
      yield texts.map((text) => ({ text: withoutReturn(text), number: ++number }));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw fileError(path, 'a readable file', error);
  }
  rest += decode();
  if (rest !== '') yield [{ text: withoutReturn(rest), number: ++number }];
  const got = hash.digest('hex');
  if (sha256 !== undefined && got !== sha256)
    throw mismatch('format', {
      where: path,
      expected: `sha256 ${sha256}`,
      got,
      hint: 'the file was changed after it was written; make it again',
    });
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
