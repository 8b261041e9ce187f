/**
 * Texts of unknown origin, shown to people.
 */

/** What moves a cursor, colours or clears a screen, ends a line, or turns the direction of writing. */
const UNSAFE = /[\p{Control}\p{Bidi_Control}\p{Line_Separator}\p{Paragraph_Separator}]/gu;

/**
 * One line of text in which control and direction characters are seen instead of obeyed: `\u001b`.
 * All of them lie in the first plane, so a string in a JSON document keeps its value.
 */
export function visible(text: string): string {
  return text.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The same for a text of several lines: line feeds stay. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}
