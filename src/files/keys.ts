/**
 * Keys of documents: camelCase inside the program, snake_case in every file and output.
 */

/** camelCase → snake_case; digits stay attached. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** snake_case → camelCase; a name without underscores before letters stays as it is. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** A document with the keys of all objects in it in snake_case; values stay. */
export const snakeKeys = (value: unknown): unknown => withKeys(value, snakeCase);

/** A document with the keys of all objects in it in camelCase; values stay. */
export const camelKeys = (value: unknown): unknown => withKeys(value, camelCase);

function withKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((entry) => withKeys(entry, rename));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [rename(key), withKeys(entry, rename)]),
  );
}
