/**
 * Titles as the language model sees them.
 */

/** `published`: without year, article in front, as in the papers; `raw`: as in the source. */
export type TitleStyle = 'published' | 'raw';

/**
 * Cleans a MovieLens title: `Full Monty, The (1997)` → `The Full Monty`.
 *
 * The published loader cuts the last seven characters and moves `, The`, `, A` or `, An` to the
 * front. Differs where that goes wrong:
 * - a title without a year stays (`unknown` would become empty);
 * - `(1995) (V)` is cut as a whole, and spaces at the ends go;
 * - an article moves only as a whole word (`, An` would be taken for `, A`);
 * - it moves from the end or from before a title in brackets, not from inside (`Good, The Bad and The Ugly, The`).
 *
 * Nine of the 1,682 titles differ by this, spaces aside.
 */
export function cleanTitle(title: string, style: TitleStyle): string {
  const spaced = tidyTitle(title);
  if (style === 'raw') return spaced;
  const withoutYear = spaced.replace(/\s*\(\d{4}\)(\s*\(V\))?$/, '');
  const cut = withoutYear === '' ? spaced : withoutYear;
  return cut.replace(/^(.+), (The|A|An)$|^([^(]+), (The|A|An)( \(.*\))$/, (_, ...parts) => {
    const [whole, article, before, inner, rest] = parts as (string | undefined)[];
    return whole === undefined ? `${inner} ${before}${rest}` : `${article} ${whole}`;
  });
}

/** One line without tabs, control characters or repeated spaces: fits into a field of a TSV file. */
export function tidyTitle(title: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  return title.replace(/[\u0000-\u001f\u007f\s]+/g, ' ').trim();
}

/** Titles with the same key cannot be told apart in an answer. */
export function titleKey(title: string): string {
  return tidyTitle(title).toLowerCase();
}
