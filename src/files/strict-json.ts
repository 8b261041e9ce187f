/**
 * JSON that may not say a thing twice: `JSON.parse` keeps the last of two equal keys in silence.
 */
import { mismatch } from '../errors/index.js';

/**
 * Parses JSON and refuses duplicate keys at any depth.
 *
 * @param where  file and part named in errors
 * @throws IloraError of code `format`
 */
export function parseStrictJson(text: string, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw mismatch('format', { where, expected: 'JSON', got: error }, error);
  }
  refuseDuplicateKeys(text, where);
  return value;
}

/** A JSON object that is neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What reads the value may call itself for each level. */
const MAX_DEPTH = 500;

/** Walks valid JSON; every string followed by a colon is a key of the innermost object. */
function refuseDuplicateKeys(text: string, where: string): void {
  // Lists have no keys; `undefined` stands for them.
  const open: (Set<string> | undefined)[] = [];
  let position = 0;
  while (position < text.length) {
    const char = text[position];
    if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined);
      if (open.length > MAX_DEPTH)
        throw mismatch('format', {
          where: `${where}: character ${position}`,
          expected: `at most ${MAX_DEPTH} lists and objects in one another`,
          got: 'more',
        });
    } else if (char === '}' || char === ']') open.pop();
    if (char !== '"') {
      position += 1;
      continue;
    }
    const start = position;
    position += 1;
    while (text[position] !== '"') position += text[position] === '\\' ? 2 : 1;
    position += 1;
    let next = position;
    while (/\s/.test(text[next] ?? '')) next += 1;
    if (text[next] !== ':') continue;
    const key = JSON.parse(text.slice(start, position)) as string;
    const keys = open.at(-1);
    if (keys?.has(key))
      throw mismatch('format', { where, expected: 'each key once', got: `${key} twice` });
    keys?.add(key);
  }
}
