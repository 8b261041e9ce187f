/**
 * Titles made harmless before they enter a prompt.
 *
 * Whoever can name an item can write into other people's prompts, so a title may only ever be one short line of
 * visible text. What it says in words stays, an order to the model included: scores compare candidates
 * given beforehand, so words cannot bring in an item that is not there.
 */

/** A title longer than this is cut before it is encoded, so that encoding takes bounded time. */
export const MAX_TITLE_CHARACTERS = 1000;

/**
 * Tokens a title may take, the mark of a cut included, where the base has room for them. Of the 9,869 titles of
 * MovieLens-100K, Last.fm and Steam the longest takes 62 (SmolLM2), and 115 where Japanese is spelled in bytes.
 */
export const MAX_TITLE_TOKENS = 128;

/** Stands at the end of a title that was cut. */
export const CUT_MARK = '…';

const LONE_SURROGATE = /\p{Surrogate}/gu;
/** Control characters (escape sequences and line ends among them) and every kind of white space. */
const GAP = /[\p{Control}\s]+/gu;
/** What belongs inside words and emoji though it is invisible: joiners and variation selectors. */
const JOINER = '\u200c\u200d\ufe00-\ufe0f';
/** Invisible characters: direction marks and overrides, zero-width spaces, tags that spell hidden text. */
const HIDDEN = new RegExp(
  `(?![${JOINER}])[\\p{Bidi_Control}\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb]`,
  'gu',
);
const NOTHING_VISIBLE = new RegExp(`^[ ${JOINER}]*$`, 'u');

/**
 * A title as one line of visible text.
 *
 * - Halves of surrogate pairs become U+FFFD, as in every encoder of UTF-8.
 * - Control characters and white space become one space; none stays at the ends.
 * - Bidi controls and other invisible characters go; joiners and variation selectors, which emoji and some scripts
 *   need, stay.
 * - More than `MAX_TITLE_CHARACTERS` are cut; `CUT_MARK` says so. `PromptBuilder` cuts at `maxTitleTokens` in the
 *   same way.
 * - A title of which nothing is visible becomes `item 17`, the same in every run.
 * - Texts of special tokens stay: a `Tokenizer` never gives special ids for text.
 *
 * Ordinary titles come out as they went in. Different titles may come out alike; they are then scored alike.
 *
 * @param item  id in the catalog, for titles without visible text
 */
export function neutralTitle(title: string, item: number): string {
  const text = visibleLine(title);
  return text === '' ? `item ${item}` : cutTitle(text, MAX_TITLE_CHARACTERS);
}

/** A text as one line of what is visible of it; empty if nothing is. */
export function visibleLine(text: string): string {
  const line = text.replace(LONE_SURROGATE, '\ufffd').replace(HIDDEN, '').replace(GAP, ' ').trim();
  return NOTHING_VISIBLE.test(line) ? '' : line;
}

/** The first characters of a text, `most` with the mark, or the whole text if it fits. */
export function cutTitle(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  if (characters.length <= most) return text;
  return (
    characters
      .slice(0, most - 1)
      .join('')
      .trimEnd() + CUT_MARK
  );
}
