/**
 * Keys of documents: camelCase inside the program, snake_case in every file and output.
 */

/** camelCase → snake_case; digits stay attached, and so do capitals that follow each other (`freeMB` → `free_mb`). */
export const snakeCase = (name: string): string =>
  name
    .replace(/(?<=[a-z0-9])[A-Z]/g, '_$&')
    .replace(/(?<=[A-Z])[A-Z](?=[a-z])/g, '_$&')
    .toLowerCase();

/** snake_case → camelCase; a name without underscores before letters stays as it is. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * A document with the keys of all objects in it in snake_case, hyphens too; values stay, and so do keys that are
 * no names, such as paths.
 */
export const snakeKeys = (value: unknown): unknown =>
  withKeys(value, (key) => (/^[\w-]+$/.test(key) ? snakeCase(key).replaceAll('-', '_') : key));

/** A document with the keys of all objects in it in camelCase; values stay. */
export const camelKeys = (value: unknown): unknown => withKeys(value, camelCase);

function withKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((entry) => withKeys(entry, rename));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [rename(key), withKeys(entry, rename)]),
  );
}
