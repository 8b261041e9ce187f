/**
 * From generated text to the candidate it names, in two rules.
 *
 * `published` is what LLaRA and iLoRA did, kept for comparison with their figures. It has two faults: a right answer is
 * thrown away when one candidate's title contains another's ("Alien" in "Alien Nation"), and a one-letter title ("M") is
 * found in almost any text. `title` repairs both.
 */

/** Index of the candidate that the text names, or undefined when it names none or several. */
export type Matcher = (text: string, titles: readonly string[]) => number | undefined;

export type MatcherName = 'published' | 'title';

/** The rule of the papers: exactly one lower-cased title is a substring of the first line. */
export function matchPublished(text: string, titles: readonly string[]): number | undefined {
  const line = firstLine(text).toLowerCase();
  const found = titles.flatMap((title, index) =>
    line.includes(title.trim().toLowerCase()) ? [index] : [],
  );
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Ours: a title equal to the whole first line wins. Otherwise titles are looked for as whole words. A title inside a
 * longer match does not count, and exactly one must remain.
 *
 * Letter case, Unicode form, spacing, and quotes or a full stop around the line do not matter. Two
 * candidates of one title cannot be told apart: text naming them is invalid. An empty title never matches.
 */
export function matchTitle(text: string, titles: readonly string[]): number | undefined {
  const line = fold(firstLine(text));
  const folded = titles.map(fold);
  for (const whole of [line, fold(line.replace(/^["'“”‘’*]+|["'“”‘’*.]+$/gu, ''))]) {
    const equal = folded.flatMap((title, index) =>
      title !== '' && title === whole ? [index] : [],
    );
    if (equal.length > 0) return equal.length === 1 ? equal[0] : undefined;
  }
  const matches = folded.flatMap((title, index) =>
    occurrences(line, title).map((start) => ({ index, start, end: start + title.length })),
  );
  const outermost = matches.filter(
    (inner) =>
      !matches.some(
        (outer) =>
          outer.start <= inner.start &&
          outer.end >= inner.end &&
          outer.end - outer.start > inner.end - inner.start,
      ),
  );
  const named = new Set(outermost.map(({ index }) => index));
  return named.size === 1 ? [...named][0] : undefined;
}

/** The matchers by name. */
export const MATCHERS: Readonly<Record<MatcherName, Matcher>> = {
  published: matchPublished,
  title: matchTitle,
};

function firstLine(text: string): string {
  return (text.trim().split(/\r?\n/, 1)[0] ?? '').trim();
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
}

/** Starts of `title` in `line` where it is not part of a longer word. */
function occurrences(line: string, title: string): number[] {
  const starts: number[] = [];
  if (title === '') return starts;
  const wordCharacter = /[\p{L}\p{N}]/u;
  const joins = (left: string | undefined, right: string | undefined) =>
    left !== undefined &&
    right !== undefined &&
    wordCharacter.test(left) &&
    wordCharacter.test(right);
  for (let start = line.indexOf(title); start >= 0; start = line.indexOf(title, start + 1)) {
    const end = start + title.length;
    if (!joins(line[start - 1], title[0]) && !joins(title.at(-1), line[end])) starts.push(start);
  }
  return starts;
}
