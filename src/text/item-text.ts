/** An item as one line, for encoders of text, and its attributes as one, for people. */
import { attributeTexts, type TextItem } from './item-pattern.js';
import { cutTitle, neutralTitle } from './neutral-title.js';

/** Characters that all attributes behind a title may take together. */
const MAX_ITEM_CHARACTERS = 1000;

/**
 * `Toy Story (genres: Animation, Comedy; year: 1995)`: one line of visible, bounded text.
 *
 * @param item  with its id in the catalog, for titles without visible text
 * @param names attributes that are said, in this order; all by default
 */
export function itemText(
  item: TextItem & { id: number },
  names: readonly string[] = Object.keys(item.attributes ?? {}),
): string {
  const title = neutralTitle(item.title, item.id);
  const parts = [...attributeTexts(item.attributes, names)].map(
    ([name, text]) => `${name.replaceAll('_', ' ')}: ${text}`,
  );
  if (parts.length === 0) return title;
  return `${title} (${cutTitle(parts.join('; '), MAX_ITEM_CHARACTERS)})`;
}

/** Characters of the attributes that are shown behind a title. */
const MAX_SHOWN_CHARACTERS = 80;

/** `Animation, Comedy · 1995`: attributes for people, without names; undefined where there are none. */
export function attributeLine(attributes: TextItem['attributes']): string | undefined {
  const texts = [...attributeTexts(attributes, Object.keys(attributes ?? {}))];
  if (texts.length === 0) return undefined;
  return cutTitle(texts.map(([, text]) => text).join(' · '), MAX_SHOWN_CHARACTERS);
}
