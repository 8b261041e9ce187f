/**
 * HTML that is safe by construction: `html` escapes every value that is not HTML already, so a title
 * such as `<script>` is text wherever it lands. Control and direction characters are shown, not obeyed: an
 * override in a title cannot turn the words beside it.
 */
import { visibleLines } from '../errors/index.js';

/** Text that is HTML already. Only `html` and `trustedHtml` make it. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | undefined | readonly Value[];

/** Builds HTML; strings and numbers are escaped, lists joined, undefined left out. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

/** Takes text as HTML: for markup made here (charts, styles), never for what a user or file said. */
export function trustedHtml(text: string): Html {
  return new Html(text);
}

/** A value whose texts all show what they hold, for what makes markup itself. */
export function visibleTexts<T>(value: T): T {
  if (typeof value === 'string') return visibleLines(value) as T;
  if (Array.isArray(value)) return value.map(visibleTexts) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, visibleTexts(inner)]),
  ) as T;
}

/** A JSON block that scripts and people can read back; nothing in it can close the element. */
export function jsonBlock(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replaceAll('<', '\\u003c');
  return html`<script type="application/json" id="${id}">${trustedHtml(json)}</script>`;
}

function render(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return visibleLines(String(value)).replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}
